"""The list of tags: complete, searchable, and silent about the patient."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_medadv.cli import main
from napari_medadv.dicom.tags import HIDDEN, tags
from napari_medadv.errors import SeriesError
from tests.dicom.making import dataset, write

SECRETS = ("Doe", "Jane", "P1", "19700101", "20200101", "thorax", "A1", "Ref", "Hospital", "inner")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    item = Dataset()
    item.CodeValue, item.CodeMeaning, item.PatientComments = "T1", "a code", "inner"
    ds = dataset(InstitutionName="Hospital", ProcedureCodeSequence=[item])
    block = ds.private_block(0x0009, "MAKER", create=True)
    block.add_new(1, "LO", "Doe again")
    return write(ds, tmp_path / "a.dcm")


def test_identity_is_hidden_until_asked_for(file: Path) -> None:
    lines = tags(file)
    shown = " ".join(line.value for line in lines)
    assert not [word for word in SECRETS if word in shown]
    assert next(line for line in lines if line.keyword == "PatientName").value == HIDDEN
    assert next(line for line in lines if line.keyword == "Rows").value == "16"
    assert next(line for line in lines if line.keyword == "SOPClassUID").value.endswith("(CT Image Storage)")
    every = " ".join(line.value for line in tags(file, identity=True))
    assert all(word in every for word in SECRETS)


def test_sequences_are_a_tree_and_nothing_is_missing(file: Path) -> None:
    lines = tags(file)
    at = next(index for index, line in enumerate(lines) if line.keyword == "ProcedureCodeSequence")
    assert [(line.depth, line.keyword) for line in lines[at + 1 : at + 3]] == [(1, "Item"), (2, "CodeValue")]
    ds = pydicom.dcmread(file)
    top = {line.tag for line in lines if line.depth == 0}
    assert top == {f"({e.tag.group:04x},{e.tag.elem:04x})" for e in (*ds.file_meta, *ds) if e.keyword != "PixelData"}


def test_search(file: Path) -> None:
    assert [line.keyword for line in tags(file) if line.matches("rescale TYPE")] == ["RescaleType"]
    assert [line.keyword for line in tags(file) if line.matches("00281052")] == ["RescaleIntercept"]


def test_command(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", str(file), "--search", "patient", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["tags"]
    assert {"PatientName", "PatientID"} <= {line["keyword"] for line in found}
    assert main(["tags", str(file), "--search", "patientid", "--show-identity"]) == 0
    assert capsys.readouterr().out == "(0010,0020) LO PatientID: P1\n"
    assert main(["tags", str(file.parent)]) == 2


def test_what_is_not_dicom(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    with pytest.raises(SeriesError, match="not a DICOM file"):
        tags(tmp_path / "a")


def test_codes_and_texts_that_name_somebody_are_hidden(tmp_path: Path) -> None:
    def coded(meaning: str) -> list[Dataset]:
        item = Dataset()
        item.CodeValue, item.CodeMeaning = "4711", meaning
        return [item]

    operator = Dataset()
    operator.PersonIdentificationCodeSequence = coded("Smith")
    ds = dataset(
        OperatorIdentificationSequence=[operator],
        InstitutionCodeSequence=coded("Saint Mary"),
        AnatomicRegionSequence=coded("Lung"),
        DerivationDescription="enhanced for JANE",
    )
    ds.private_block(0x0009, "MAKER", create=True).add_new(1, "SQ", coded("private"))
    ds.add_new(0x00080090, "CS", "HOUSE")  # a name under a representation that is not its own
    path = write(ds, tmp_path / "a.dcm")
    shown = " ".join(line.value for line in tags(path))
    assert "Lung" in shown and not [word for word in ("Smith", "Mary", "JANE", "private", "HOUSE") if word in shown]
    every = " ".join(line.value for line in tags(path, identity=True))
    assert all(word in every for word in ("Smith", "Mary", "JANE", "private", "HOUSE"))

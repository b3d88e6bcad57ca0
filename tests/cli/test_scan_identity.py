"""What `scan` prints names no patient: not for a series, a split one, one with problems, or a file that is not read."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write

IDENTITY = {
    "PatientName": "Quux^Zelda",
    "PatientID": "PID77123",
    "PatientBirthDate": "19471231",
    "PatientAddress": "Elmstreet 4",
    "OtherPatientNames": "Plugh^Zelda",
    "PatientMotherBirthName": "Xyzzy",
    "AccessionNumber": "ACC99817",
    "InstitutionName": "Saint Foobar",
    "ReferringPhysicianName": "Waldo^Ref",
    "OperatorsName": "Garply^Op",
    "StudyID": "SID5521",
    "StudyDescription": "Studyabout",
    "PatientComments": "Grault",
}
WORDS = [word for value in IDENTITY.values() for word in value.replace("^", " ").split() if len(word) > 3]


def image(index: int, **changed: Any) -> Dataset:
    settings: dict[str, Any] = IDENTITY | changed
    return dataset("CT", index, **settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Series that are whole, split, uneven, damaged; and files that are not read at all."""
    root = tmp_path / "in"
    for index in range(3):
        for uid, places in (("1.2.1", (0, 1, 2)), ("1.2.2", (0, 1, 5))):
            write(image(places[index], SeriesInstanceUID=uid), root / f"{uid}-{index}.dcm")
        for acquisition in (1, 2):
            changed: dict[str, Any] = {"SeriesInstanceUID": "1.2.3", "AcquisitionNumber": acquisition}
            write(image(index, **changed), root / f"split-{acquisition}-{index}.dcm")
    write(image(0, SeriesInstanceUID="1.2.4", BitsStored=40), root / "bits.dcm")
    write(image(0, SeriesInstanceUID="1.2.5", PixelSpacing=None), root / "spacing.dcm")
    write(image(0, PixelData=None, Rows=None), root / "no-image.dcm")
    whole = (root / "1.2.1-0.dcm").read_bytes()
    (root / "cut.dcm").write_bytes(whole[:900])
    (root / "copy.dcm").write_bytes(whole)
    assert pydicom.dcmread(root / "bits.dcm").PatientName == "Quux^Zelda"
    return root


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_scan_prints_no_identity(medadv: Medadv, folder: Path, options: list[str]) -> None:
    said = medadv("scan", folder, *options)
    assert said.code == 0 and "1.2.3" in said.out and "uneven" in said.out and "no-image.dcm" in said.out
    printed = (said.out + said.err).lower()
    assert len(WORDS) > 12 and not [word for word in WORDS if word.lower() in printed]


def test_an_ambiguous_choice_prints_no_identity(medadv: Medadv, folder: Path, model: Path) -> None:
    printed = medadv("predict", folder, "--model", model).one_sentence().lower()
    assert not [word for word in WORDS if word.lower() in printed]

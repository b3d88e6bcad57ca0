"""A ledger is never made to vouch for what somebody else wrote into it, or for what was altered since."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from napari_medadv.dicom import scan
from napari_medadv.dicom.baseline import compare, record
from napari_medadv.dicom.baseline.ledger import signature_path
from napari_medadv.errors import LedgerError, MedAdvError
from tests.dicom.baseline.series_files import one_level_up, series
from tests.dicom.signature.signed_files import ct, written

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def ledger(folder: Path) -> Path:
    record(folder, folder.parent / "ledger", KEY)
    return folder.parent / "ledger"


def test_nobody_signs_lines_that_are_not_their_own(folder: Path) -> None:
    path = ledger(folder)
    series(folder / "more", 1)
    with pytest.raises(LedgerError, match="not made with this key"):
        record(folder, path, OTHER)
    signature_path(path).unlink()
    with pytest.raises(LedgerError, match="not signed"):
        record(folder, path, KEY)


def test_what_contradicts_an_entry_is_said_and_not_recorded(folder: Path) -> None:
    path = ledger(folder)
    one_level_up(folder / "001.dcm", 3, 3)
    found = record(folder, path, KEY)
    assert found.added == 0 and len(found.left_out) == 1 and "Instance 2" in found.left_out[0]
    assert not compare(folder, path, keys=[KEY.public_key()]).passed


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientOrientation", ["R", "A"]), ("AccessionNumber", "77"), ("SeriesDescription", "after contrast")],
)
def test_a_header_that_changed_anywhere_is_an_alarm(keyword: str, value: object, folder: Path) -> None:
    path = ledger(folder)
    ds = pydicom.dcmread(folder / "001.dcm")
    setattr(ds, keyword, value)
    (folder / "001.dcm").write_bytes(written(ds))
    found = compare(folder, path, keys=[KEY.public_key()])
    assert not found.passed and found.changes[0].kind == "altered" and "all else" in found.changes[0].parts


@pytest.mark.parametrize("name", [".x.dcm", ".d/x.dcm"])
def test_a_hidden_slice_is_an_added_one(name: str, folder: Path) -> None:
    path = ledger(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(written(ct(80)))
    assert [change.kind for change in compare(folder, path, keys=[KEY.public_key()]).changes] == ["added"]


def test_an_image_without_the_mark_of_dicom_is_an_added_one(folder: Path) -> None:
    path, made = ledger(folder), io.BytesIO()
    ds = ct(80)
    del ds.file_meta
    pydicom.dcmwrite(made, ds, implicit_vr=True, little_endian=True, enforce_file_format=False)
    (folder / "bare").write_bytes(made.getvalue())
    assert sum(each.frames for each in scan(folder)) == 7
    assert [change.kind for change in compare(folder, path, keys=[KEY.public_key()]).changes] == ["added"]


def test_a_file_twice_and_a_directory_are_no_alarm(folder: Path) -> None:
    (folder / "copy.dcm").write_bytes((folder / "001.dcm").read_bytes())
    (folder / "DICOMDIR").write_bytes(written(ct(4)))
    path = ledger(folder)
    assert compare(folder, path, keys=[KEY.public_key()]).passed


def test_a_series_of_which_nothing_is_left_is_told(folder: Path) -> None:
    series(folder / "other", 2)
    path = ledger(folder)
    for each in (folder / "other").iterdir():
        each.unlink()
    found = compare(folder, path, keys=[KEY.public_key()])
    assert "2 recorded instances belong to series of which nothing is here" in " ".join(found.sentences)


def test_places_and_threads_that_cannot_be(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MedAdvError):
        record(folder, tmp_path / "nowhere" / "ledger", KEY)
    with pytest.raises(MedAdvError):
        record(folder, tmp_path / "ledger", KEY, threads=-1)

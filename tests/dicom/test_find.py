"""Folders, DICOMDIR and zip files: only what lies inside is opened."""

from __future__ import annotations

import gc
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_medadv.dicom import decode, find, save, scan
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import Cancelled, OutputError, SeriesError
from tests.dicom.making import write

Folder = Callable[..., Path]


def medium(source: Path, out: Path) -> Path:
    """A medium with a DICOMDIR that names the files of `source`."""
    directory = Dataset()
    directory.DirectoryRecordSequence = []
    (out / "IMAGES").mkdir(parents=True)
    for index, path in enumerate(sorted(source.iterdir())):
        shutil.copy(path, out / "IMAGES" / f"I{index}")
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = ["IMAGES", f"I{index}"]
        directory.DirectoryRecordSequence.append(record)
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3"
    return write(directory, out / "DICOMDIR")


def test_dicomdir(folder: Folder, tmp_path: Path) -> None:
    path = medium(folder(3), tmp_path / "cd")
    found = scan(path)
    assert len(found) == 1 and decode(found[0]).shape[0] == 3
    assert len(scan(path.parent)[0].instances) == 3
    named = Path(found[0].instances[0].path)
    named.unlink()
    again = scan(path)
    assert again[0].frames == 2 and "is not there" in again.rejected[0].reason


@pytest.mark.parametrize("target", [["..", "secret.dcm"], ["/etc/hosts"], ["A", "..", "..", "secret.dcm"]])
def test_dicomdir_is_confined_to_its_folder(folder: Folder, tmp_path: Path, target: list[str]) -> None:
    path = medium(folder(2), tmp_path / "cd")
    next((tmp_path / "source").iterdir()).rename(tmp_path / "secret.dcm")
    ds = pydicom.dcmread(path)
    with quiet():
        ds.DirectoryRecordSequence[0].ReferencedFileID = target
        ds.save_as(path)
    found = scan(path)
    assert "outside of its folder" in found.rejected[0].reason and found[0].frames == 1


def test_a_damaged_dicomdir(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 500)
    with pytest.raises(SeriesError, match="not a readable DICOMDIR"):
        scan(tmp_path / "DICOMDIR")


def test_zip(folder: Folder, tmp_path: Path) -> None:
    source = folder(3)
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, f"deep/{path.name}")
        archive.write(path, "../outside.dcm")
    found = scan(tmp_path / "series.zip")
    series = found[0]
    del found
    assert decode(series).shape[0] == 3
    assert not (tmp_path.parent / "outside.dcm").exists()
    with pytest.raises(OutputError, match="source"):
        save(decode(series), series, Derivation("x"), tmp_path / "series.zip")
    unpacked = series.instances[0].path
    assert unpacked.exists()
    del series
    gc.collect()
    assert not unpacked.exists()


def test_zip_bomb(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(100 << 20))
    with pytest.raises(SeriesError, match="more than is sane"):
        scan(tmp_path / "bomb.zip")
    (tmp_path / "torn.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:1000])
    with pytest.raises(SeriesError, match="damaged or encrypted zip"):
        scan(tmp_path / "torn.zip")


def test_limits_are_settings(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = medium(folder(3), tmp_path / "cd")
    monkeypatch.setattr(find, "ENTRIES", 1)
    with pytest.raises(SeriesError, match="names more than 1 files"):
        scan(path)


def test_odd_things_in_a_folder_are_named_or_left_alone(folder: Folder, tmp_path: Path) -> None:
    path = folder(2)
    (path / "empty").mkdir()
    (path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(path / "pipe")
    with zipfile.ZipFile(path / "inner.zip", "w") as archive:
        archive.writestr("a.dcm", b"x")
    (path / "notes – Größe.txt").write_text("x" * 200)
    found = scan(path)
    assert found[0].frames == 2
    assert {each.path.name: each.reason for each in found.rejected} == {
        "dangling": "dangling is a link to what is not there: mend or remove it.",
        "inner.zip": "inner.zip is a zip file inside of something else: choose it alone, or unpack it.",
        "notes – Größe.txt": "notes – Größe.txt is not a DICOM file (it lacks the mark DICM): "
        "choose a DICOM file or a folder of them.",
    }


def test_a_folder_that_cannot_be_opened_is_named(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(2)
    (path / "closed").mkdir()
    scandir = os.scandir

    def closed(name: str) -> Any:
        if name.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(name)

    monkeypatch.setattr(os, "scandir", closed)
    reason = "The folder closed cannot be opened (Permission denied): check that it may be read."
    found = scan(path)
    assert found[0].frames == 2 and [each.reason for each in found.rejected] == [reason]
    with pytest.raises(SeriesError, match="The folder closed cannot be opened"):
        scan(path / "closed")


def test_the_present_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SeriesError, match="The folder here holds no files"):
        scan(Path())
    with pytest.raises(SeriesError, match="null is neither a file nor a folder"):
        scan(Path("/dev/null"))


def test_a_zip_file_with_names_that_are_too_long(folder: Folder, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for index, path in enumerate(folder(2).iterdir()):
            archive.write(path, f"ü {'x' * 300}/{'y' * 300}{index}.dcm")
    found = scan(tmp_path / "a.zip")
    assert found[0].frames == 2 and not found.rejected


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_zip_file(method: int, folder: Folder, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for path in folder(2).iterdir():
            archive.write(path, path.name)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[70:100] = bytes(range(200, 230))
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(SeriesError, match=r"a\.zip is a damaged"):
        scan(tmp_path / "a.zip")


def test_names_that_no_file_can_have(folder: Folder, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(".", b"x")
        for path in folder(2).iterdir():
            archive.write(path, path.name)
    assert decode(scan(tmp_path / "a.zip")[0]).shape[0] == 2
    for parts in (["A\0B"], ["A" * 400]):
        place = medium(tmp_path / "source", tmp_path / f"medium{len(parts[0])}")
        with quiet():
            ds = pydicom.dcmread(place)
            ds.DirectoryRecordSequence[0].ReferencedFileID = parts
            ds.save_as(place)
        found = scan(place)
        assert decode(found[0]).shape[0] == 1 and "no file can have" in found.rejected[0].reason


def test_a_person_may_stop_while_folders_are_looked_into(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("b", b"2")

    def stop(share: float, words: str) -> None:
        raise Cancelled(words)

    for path, words in ((tmp_path, "looking into folders"), (tmp_path / "two.zip", "unpacking 1 of 2")):
        with pytest.raises(Cancelled, match=words):
            find.find(path, stop)

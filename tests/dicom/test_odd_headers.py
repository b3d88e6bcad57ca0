"""Headers that lack, misstate or hide something, as archives hold them: what is made of them is right, or said in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom import decode, save, scan
from napari_medadv.dicom.compress import compressed
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.errors import OutputError, SeriesError
from tests.dicom.making import dataset, write
from tests.dicom.saving import changed

Folder = Callable[..., Path]


@pytest.mark.parametrize(
    ("character_set", "words"),
    [("ISO_IR 192", "Schädel nativ"), (["", "ISO 2022 IR 87"], "胸部単純"), ("GB18030", "胸部平扫")],
)
def test_a_description_is_read_in_its_own_letters(character_set: object, words: str, folder: Folder) -> None:
    made = folder(2, SpecificCharacterSet=character_set, SeriesDescription=words)
    assert scan(made)[0].description == words


def test_a_description_cannot_speak_to_the_terminal(folder: Folder) -> None:
    made = folder(2, SeriesDescription="\x1b]0;named\x07\r\nthorax", WindowCenterWidthExplanation=["A\x1b[2J", "B"])
    series = scan(made)[0]
    told = series.description + "".join(window.explanation for window in decode(series).windows)
    assert "thorax" in told and told.isprintable()


def test_a_character_set_that_does_not_exist(folder: Folder) -> None:
    made = folder(2, SeriesDescription="thorax x")
    for path in made.iterdir():
        path.write_bytes(path.read_bytes().replace(b"thorax x", b"thorax \xe4"))
    assert scan(made)[0].description == "thorax ä"


@pytest.mark.parametrize("first", [None, -3000])
def test_padding_that_not_every_slice_names(first: int | None, folder: Folder) -> None:
    voxels = np.full((16, 12), 100, np.int16)
    voxels[:4] = -2000
    volume = decode(
        scan(folder(4, voxels=voxels, PixelPaddingValue=lambda i: -2000 if i or first is None else first))[0]
    )
    assert (volume.scale.padding is not None) and ("different padding" in " ".join(volume.facts)) == (first is not None)


def test_padding_that_the_first_slice_does_not_name(tmp_path: Path) -> None:
    for index in range(3):
        made = dataset("CT", index)
        if index:
            made.PixelPaddingValue = -2000
        write(made, tmp_path / "s" / f"{index}.dcm")
    assert decode(scan(tmp_path / "s")[0]).scale.padding == (-2000, -2000)


def test_images_of_one_uid_are_told_apart_when_written(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(4, SOPInstanceUID="1.2.3.4"))[0]
    files = save(changed(decode(series)), series, Derivation("x"), tmp_path / "out")
    assert len({pydicom.dcmread(file).SOPInstanceUID for file in files}) == 4


def test_a_series_number_that_is_none(folder: Folder, tmp_path: Path) -> None:
    made = folder(2, SeriesNumber=12)
    for path in made.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\x20\0\x11\0IS\2\x0012", b"\x20\0\x11\0IS\2\0A "))
    series = scan(made)[0]
    assert len(save(changed(decode(series)), series, Derivation("x"), tmp_path / "out")) == 2


def test_a_file_that_does_not_say_what_it_is(folder: Folder, tmp_path: Path) -> None:
    made = folder(2)
    for path in made.iterdir():  # by hand: pydicom does not write such a file
        data = path.read_bytes()
        start = data.index(b"\x08\0\x16\0UI")
        path.write_bytes(data[:start] + data[start + 8 + int.from_bytes(data[start + 6 : start + 8], "little") :])
    series = scan(made)[0]
    with pytest.raises(OutputError, match="SOP Class UID"):
        save(changed(decode(series)), series, Derivation("x"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_pseudonym_is_not_found_by_trying_every_number(folder: Folder, tmp_path: Path) -> None:
    import hashlib

    made = folder(2, PatientID="4711023", RetrieveURL="https://archive/DoeJane")
    for path in made.iterdir():
        path.write_bytes(b"Doe^Jane 1970".ljust(128, b"\0") + path.read_bytes()[128:])
    item = pydicom.Dataset()
    item.SeriesDescription, item.DerivationDescription = "for Doe Jane", "by Doe Jane"
    for path in made.iterdir():
        ds = pydicom.dcmread(path)
        ds.ReferencedImageSequence = [item]
        ds.save_as(path)
    series = scan(made)[0]
    for path in save(changed(decode(series)), series, Derivation("x"), tmp_path / "out", deidentify=True):
        assert b"Doe" not in path.read_bytes() and not any(path.read_bytes()[:128])
        plain = {hashlib.sha256(text.encode()).hexdigest()[:12] for text in ("4711023", "ADV-4711023")}
        assert str(pydicom.dcmread(path).PatientID).removeprefix("ADV-") not in plain


def test_a_missing_slice_makes_no_volumes_of_single_ones(folder: Folder) -> None:
    places = [0, 1, 2, 4]
    made = folder(4, ImagePositionPatient=lambda i: [0, 0, places[i]], ContentTime=lambda i: f"10101{i}")
    found = scan(made)
    assert len(found) == 1 and [problem.kind for problem in found[0].problems] == ["gap"]


def test_places_of_a_dose_grid_that_are_coordinates(tmp_path: Path) -> None:
    voxels = np.stack([np.full((6, 5), index, np.uint16) for index in range(3)])
    ds = dataset("CT", voxels=voxels[0], NumberOfFrames=3, RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
    ds.Modality, ds.SOPClassUID, ds.PixelData = "RTDOSE", "1.2.840.10008.5.1.4.1.1.481.2", voxels.tobytes()
    ds.GridFrameOffsetVector, ds.DoseGridScaling, ds.DoseUnits = [-100, -98, -96], 0.01, "GY"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, -100], [1, 0, 0, 0, -1, 0]
    volume = decode(scan(write(ds, tmp_path / "a.dcm"))[0])
    heights = {
        int(plane[0, 0]): float((volume.affine @ [index, 0, 0, 1])[2]) for index, plane in enumerate(volume.voxels)
    }
    assert heights == {0: -100, 1: -98, 2: -96}


def test_half_a_pair_of_subsampled_colours_is_refused(tmp_path: Path) -> None:
    ds = dataset("XC", voxels=np.zeros((15, 15, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = b"\0" * (15 * 15 * 2)
    with pytest.raises(SeriesError, match="even number of columns"):
        decode(scan(write(ds, tmp_path / "a.dcm"))[0])


def test_inverted_greys_of_some_bits_are_not_written_in_htj2k(folder: Folder) -> None:
    """SimpleITK turns MONOCHROME1 round by the bits of the codestream, which the encoder of HTJ2K cannot be told."""
    for stored, photometric, kept in ((12, "MONOCHROME1", False), (16, "MONOCHROME1", True), (12, "MONOCHROME2", True)):
        voxels = np.arange(16 * 12, dtype=np.uint16).reshape(16, 12)
        made = folder(1, "CR", name=f"{stored}{photometric}", voxels=voxels, BitsStored=stored, HighBit=stored - 1)
        (path,) = made.iterdir()
        ds = pydicom.dcmread(path)
        ds.PhotometricInterpretation = photometric
        ds.save_as(path)
        layout = scan(made)[0].instances[0].layout
        assert layout is not None
        assert (compressed(a.HTJ2K_LOSSLESS, voxels[None], layout) is not None) == kept


@pytest.mark.parametrize("sets", [None, "ISO_IR 100", ["", "ISO 2022 IR 87"]])
def test_a_label_that_the_files_letters_lack_is_written_all_the_same(
    sets: list[str] | str | None, folder: Folder, tmp_path: Path
) -> None:
    name = "Yamada^Tarou=山田^太郎" if isinstance(sets, list) else "Müller^Jürgen" if sets else "Doe^Jane"
    told = {} if sets is None else {"SpecificCharacterSet": sets}
    series = scan(folder(2, PatientName=name, StudyDescription="thorax", **told))[0]
    words = "goal Conceal(label='폐렴 épanchement')"
    for path in save(changed(decode(series)), series, Derivation(words, label="µg"), tmp_path / "out"):
        ds = pydicom.dcmread(path)
        assert ds.DerivationDescription == words and "µg" in ds.SeriesDescription
        assert ds.PatientName == "ADV^" + name.replace("^", " ") and ds.StudyDescription == "thorax"
        assert ds.SpecificCharacterSet == "ISO_IR 192"


def test_the_files_own_letters_are_kept_where_they_do(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(2, SpecificCharacterSet="ISO_IR 100"))[0]
    path = save(changed(decode(series)), series, Derivation("Conceal épanchement"), tmp_path / "out")[0]
    ds = pydicom.dcmread(path)
    assert (ds.SpecificCharacterSet, ds.DerivationDescription) == ("ISO_IR 100", "Conceal épanchement")


def test_a_birth_date_of_another_calendar_names_the_patient_too(folder: Folder, tmp_path: Path) -> None:
    told = {"PatientBirthDateInAlternativeCalendar": "S45-01-01", "CommentsOnTheScheduledProcedureStep": "Mrs Doe"}
    series = scan(folder(2, **told))[0]
    path = save(changed(decode(series)), series, Derivation("x"), tmp_path / "out", deidentify=True)[0]
    assert not set(told) & set(pydicom.dcmread(path).dir())

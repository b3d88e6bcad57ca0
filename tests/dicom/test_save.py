"""A derived series: marked, and the same volume when it is read again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.datadict import dictionary_VR
from pydicom.encaps import encapsulate

from napari_medadv.dicom.compress import LOSSLESS, compress
from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.encode import encode
from napari_medadv.dicom.profile import EMPTIED, REMOVED, REPLACED
from napari_medadv.dicom.save import save
from napari_medadv.dicom.series import scan
from tests.dicom.making import dataset, dciodvfy, write
from tests.dicom.saving import PGD, changed, same

Folder = Callable[..., Path]


def test_round_trip_and_marks(folder: Folder, tmp_path: Path) -> None:
    source = folder(4)
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    series = scan(source)[0]
    volume = changed(decode(series))
    files = save(volume, series, PGD, tmp_path / "out")
    assert [path.name for path in files] == ["0001.dcm", "0002.dcm", "0003.dcm", "0004.dcm"]
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before
    again = scan(tmp_path / "out")[0]
    assert same(decode(again), volume)
    assert decode(again).facts == ("synthetic: marked as adversarial test image",)
    assert again.uid != series.uid and again.study_uid != series.study_uid
    ds, original = pydicom.dcmread(files[0]), pydicom.dcmread(series.instances[0].path)
    assert list(ds.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "ADVERSARIAL"]
    assert ds.SyntheticData == ds.QualityControlImage == ds.QualityControlSubject == "YES"
    assert ds.DerivationDescription == PGD.text
    assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == original.SOPInstanceUID
    assert ds.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert ds.ContributingEquipmentSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "109100"
    assert ds.SeriesDescription == "[ADVERSARIAL TEST] PGD 8 HU thorax" and ds.SeriesNumber == 9003
    assert (ds.PatientID, str(ds.PatientName)) == ("ADV-P1", "ADV^Doe Jane")
    assert ds.FrameOfReferenceUID == original.FrameOfReferenceUID and ds.SOPInstanceUID != original.SOPInstanceUID
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_the_study_is_kept_when_asked_for(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(2))[0]
    ds = pydicom.dcmread(save(decode(series), series, PGD, tmp_path / "out", keep_study=True)[0])
    assert ds.StudyInstanceUID == series.study_uid and ds.PatientID == "P1" and ds.SyntheticData == "YES"


def identified() -> dict[str, Any]:
    """One value for every attribute that the profile names, with a word to look for."""
    found: dict[str, Any] = {}
    for keyword in sorted(REMOVED | EMPTIED | REPLACED):
        vr = dictionary_VR(keyword)
        if vr in ("LO", "SH", "PN", "LT", "ST", "UT", "AE") and keyword not in ("PatientID", "PatientName"):
            found[keyword] = "SECRET"
        elif vr in ("DA", "TM", "DT"):
            found[keyword] = {"DA": "19770707", "TM": "070707", "DT": "19770707070707"}[vr]
    return found


def test_identity_is_removed_when_asked_for(folder: Folder, tmp_path: Path) -> None:
    item = pydicom.Dataset()
    item.PatientComments, item.ReferencedSOPInstanceUID = "SECRET", "1.2.3.4.5"
    source = folder(2, **identified(), ReferencedImageSequence=[item])
    for path in source.iterdir():
        ds = pydicom.dcmread(path)
        ds.private_block(0x0009, "SECRET", create=True).add_new(1, "LO", "SECRET")
        ds.save_as(path)
    series = scan(source)[0]
    for path in save(decode(series), series, PGD, tmp_path / "out", deidentify=True):
        text = path.read_bytes().decode("latin-1")
        for word in (
            "SECRET",
            "Doe",
            "Jane",
            "1977",
            "070707",
            "1.2.3.4.5",
            "P1\\",
            series.uid,
            series.instances[0].sop_uid,
        ):
            assert word not in text, word
        ds = pydicom.dcmread(path)
        assert ds.PatientIdentityRemoved == "YES" and ds.DerivationDescription == PGD.text
        assert ds.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert ds.SeriesDescription == "[ADVERSARIAL TEST]" and not ds.StudyInstanceUID.startswith(series.study_uid)
    one, two = (pydicom.dcmread(path) for path in sorted((tmp_path / "out").iterdir()))
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID and one.SOPInstanceUID != two.SOPInstanceUID


def test_the_same_work_gives_the_same_bytes(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(2))[0]
    volume = decode(series)
    one, two = (save(volume, series, PGD, tmp_path / name)[1].read_bytes() for name in ("one", "two"))
    assert one == two
    other = save(changed(volume), series, PGD, tmp_path / "three")[1]
    assert pydicom.dcmread(other).SOPInstanceUID != pydicom.dcmread(tmp_path / "one" / "0002.dcm").SOPInstanceUID


def test_what_is_no_longer_true_is_removed(folder: Folder, tmp_path: Path) -> None:
    path = folder(1)
    file = next(path.iterdir())
    ds = pydicom.dcmread(file)
    ds.add_new("SmallestImagePixelValue", "SS", -5)
    ds.add_new("LargestImagePixelValue", "SS", 5)
    ds.IconImageSequence = [pydicom.Dataset()]
    ds.add_new(0xFFFAFFFA, "SQ", [pydicom.Dataset()])
    ds.add_new(0x60000010, "US", 16)
    ds.add_new(0x60000102, "US", 12)
    ds.save_as(file)
    series = scan(path)[0]
    volume = changed(decode(series))
    derived = encode(volume, series, replace(PGD, moment=datetime(2026, 1, 2, 3, 4, 5)))[0]
    assert (
        derived.SmallestImagePixelValue == volume.voxels.min() and derived.LargestImagePixelValue == volume.voxels.max()
    )
    assert derived["SmallestImagePixelValue"].VR == "SS"
    assert "IconImageSequence" not in derived and 0xFFFAFFFA not in derived and 0x60000010 not in derived
    assert derived.SeriesDate == "20260102"


@pytest.mark.parametrize("syntax", sorted(LOSSLESS))
def test_compressed_as_the_source(syntax: str, folder: Folder, tmp_path: Path) -> None:
    source = folder(3)
    for path in source.iterdir():
        ds = pydicom.dcmread(path)
        ds.PixelData = encapsulate([compress(syntax, ds.pixel_array)])
        ds["PixelData"].is_undefined_length, ds["PixelData"].VR = True, "OB"
        ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
        ds.save_as(path)
    series = scan(source)[0]
    volume = changed(decode(series))
    files = save(volume, series, PGD, tmp_path / "out", syntax="source")
    assert {str(pydicom.dcmread(path).file_meta.TransferSyntaxUID) for path in files} == {syntax}
    assert same(decode(scan(tmp_path / "out")[0]), volume)
    save(volume, series, PGD, tmp_path / "plain")
    assert same(decode(scan(tmp_path / "plain")[0]), volume)


def test_source_and_derived_are_one_consistent_set(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(3))[0]
    files = save(changed(decode(series)), series, PGD, tmp_path / "out", keep_study=True)
    names = [str(each.path) for each in series.instances]

    def errors(*paths: str) -> set[str]:
        done = subprocess.run(["dcentvfy", *paths], capture_output=True, text=True, check=False)
        return {line for line in done.stderr.splitlines() if line.startswith("Error")}

    assert errors(*names, *map(str, files)) <= errors(*names)


@pytest.mark.parametrize("modality", ["CT", "MR", "CR", "XC"])
@pytest.mark.parametrize("option", [{}, {"keep_study": True}, {"deidentify": True}])
def test_the_validator_finds_no_new_error(modality: str, option: dict[str, Any], tmp_path: Path) -> None:
    voxels = np.zeros((8, 8, 3), np.uint8) if modality == "XC" else None
    source = write(dataset(modality, voxels=voxels), tmp_path / "source" / "a.dcm")
    series = scan(source)[0]
    derived = save(decode(series), series, PGD, tmp_path / "out", **option)[0]
    assert dciodvfy(derived) <= dciodvfy(source)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "SC_rgb_rle.dcm", "693_J2KR.dcm", "JPEG-LL.dcm"])
def test_real_files(name: str, tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    found = get_testdata_file(name, download=False)
    if not found:
        pytest.skip(f"{name} is not installed")
    series = scan(Path(str(found)))[0]
    volume = decode(series)
    derived = save(volume, series, PGD, tmp_path / "out")
    assert same(decode(scan(tmp_path / "out")[0]), volume)
    assert dciodvfy(derived[0]) <= dciodvfy(series.instances[0].path)


def test_simpleitk_reads_the_same_integers(folder: Folder, tmp_path: Path) -> None:
    import SimpleITK

    series = scan(folder(4))[0]
    volume = changed(decode(series))
    files = save(volume, series, PGD, tmp_path / "out")
    reader: Any = SimpleITK.ImageSeriesReader()  # type: ignore[no-untyped-call]
    reader.SetFileNames([str(path) for path in files])
    image = reader.Execute()
    assert (SimpleITK.GetArrayFromImage(image) == volume.values()).all()
    assert np.allclose(image.GetSpacing(), volume.spacing[::-1])
    assert np.allclose(image.GetOrigin(), volume.affine[:3, 3])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_integers_survive(data: st.DataObject, tmp_path: Path) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(["u1", "i1", "u2", "i2"])))
    stored = data.draw(st.integers(2, dtype.itemsize * 8))
    low, high = (-(1 << stored - 1), (1 << stored - 1) - 1) if dtype.kind == "i" else (0, (1 << stored) - 1)
    pixels = arrays.arrays(dtype, (3, 5, 3), elements=st.integers(low, high))
    slopes = data.draw(st.lists(st.sampled_from([1, 0.5, 2.5, 1e-3, 3.2e-5]), min_size=3, max_size=3))
    intercept = data.draw(st.sampled_from([0, -1024, -1000.5, 7]))
    padding = data.draw(st.none() | st.integers(low, high))
    clean, other = data.draw(pixels), data.draw(pixels)
    shutil.rmtree(tmp_path)
    for index in range(3):
        ds = dataset("CT", index, voxels=clean[index], BitsStored=stored, HighBit=stored - 1)
        ds.RescaleSlope, ds.RescaleIntercept = slopes[index], intercept
        if padding is not None:
            ds.add_new("PixelPaddingValue", "SS" if dtype.kind == "i" else "US", padding)
        write(ds, tmp_path / "in" / f"{index}.dcm")
    series = scan(tmp_path / "in")[0]
    volume = decode(series)
    assert (volume.voxels == clean).all() and volume.voxels.dtype == dtype
    assert (volume.scale.slope == (slopes[:1] if len(set(slopes)) == 1 else slopes)).all()
    assert volume.scale.padding == (None if padding is None else (padding, padding))
    save(volume.with_voxels(other), series, PGD, tmp_path / "out")
    assert same(decode(scan(tmp_path / "out")[0]), volume.with_voxels(other))

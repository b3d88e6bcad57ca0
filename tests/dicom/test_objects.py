"""Objects for other viewers: what was put in comes out, at its place, and the validator finds nothing new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_medadv.dicom import Derivation, Series, scan
from napari_medadv.dicom.objects import Verdict, parametric_map, picture, report, segmentation
from napari_medadv.errors import OutputError
from tests.dicom.making import dataset, dciodvfy, write
from tests.dicom.test_multiframe import enhanced

hd = pytest.importorskip("highdicom")
PGD = Derivation("PGD, Linf 8 HU", label="PGD 8 HU", version="0.1.0")
Folder = Callable[..., Path]


@pytest.fixture
def ct(folder: Folder) -> Series:
    return scan(folder(4))[0]


def checked(made: Dataset, series: Series, path: Path) -> Dataset:
    made.save_as(path)
    new = dciodvfy(path) - dciodvfy(series.instances[0].path)
    assert not new, new
    assert made.SyntheticData == "YES" and made.SeriesDescription.startswith("[ADVERSARIAL TEST]")
    return pydicom.dcmread(path)


def heights(ds: Dataset) -> list[float]:
    return [
        float(each.PlanePositionSequence[0].ImagePositionPatient[2]) for each in ds.PerFrameFunctionalGroupsSequence
    ]


def test_parametric_map(ct: Series, tmp_path: Path) -> None:
    difference = np.random.default_rng(0).normal(size=(4, 16, 12)).astype(np.float32)
    ds = checked(parametric_map(difference, "HU", ct, PGD, bound=8), ct, tmp_path / "pm.dcm")
    order = np.argsort(heights(ds))  # highdicom may store the frames in another order: the place tells, not the index
    assert np.array_equal(ds.pixel_array[order], difference)
    again = parametric_map(difference, "HU", ct, PGD, bound=8)
    assert again.SOPInstanceUID == ds.SOPInstanceUID
    with pytest.raises(OutputError, match="does not fit"):
        parametric_map(difference[:2], "HU", ct, PGD, bound=8)


def test_segmentation(ct: Series, tmp_path: Path) -> None:
    region = np.zeros((4, 16, 12), bool)
    region[1:3, 4:8, 3:9] = True
    ds = checked(segmentation(region, "nodule", ct, PGD), ct, tmp_path / "seg.dcm")
    found = dict(zip(heights(ds), ds.pixel_array.reshape(-1, 16, 12), strict=True))
    assert sorted(found) == [7.5, 10.0]
    assert all((found[5 + 2.5 * index] == region[index]).all() for index in (1, 2))
    with pytest.raises(OutputError, match="is empty"):
        segmentation(np.zeros_like(region), "nodule", ct, PGD)


def test_report(ct: Series, tmp_path: Path) -> None:
    ds = checked(report([Verdict("nodule", 0.93, 0.02)], ct, PGD), ct, tmp_path / "sr.dcm")
    text = str(ds)
    assert "0.93" in text and "0.02" in text and "nodule" in text
    with pytest.raises(OutputError, match="no verdict"):
        report([], ct, PGD)


def test_picture(ct: Series, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    ds = checked(picture(pixels, ct, PGD), ct, tmp_path / "sc.dcm")
    assert (ds.pixel_array == pixels).all() and ds.BurnedInAnnotation == "YES"
    with pytest.raises(OutputError, match="three channels"):
        picture(pixels[..., 0], ct, PGD)


def read_frames(path: Path) -> dict[float, np.ndarray]:
    """What highdicom reads of an object, by height."""
    image = hd.imread(path)
    if path.stem == "pm" and image.NumberOfFrames == 1:
        return {0.0: image.get_frames()[0]}
    return dict(zip(heights(image), image.get_frames(), strict=True))


@pytest.mark.parametrize("echoes", [None, [10.0, 20.0, 10.0, 20.0, 10.0, 20.0]])
def test_objects_of_a_multi_frame_source(echoes: list[float] | None, tmp_path: Path) -> None:
    places = [8.0, 0.0, 4.0] if echoes is None else [0.0, 0.0, 4.0, 4.0, 8.0, 8.0]
    series = scan(enhanced(tmp_path / "in" / "a.dcm", places, echoes))[-1]
    difference = np.random.default_rng(0).normal(size=(3, 6, 5)).astype(np.float32)
    ds = checked(parametric_map(difference, "US", series, PGD, bound=8), series, tmp_path / "pm.dcm")
    assert ds.ReferencedSeriesSequence[0].SeriesInstanceUID == series.uid
    found = read_frames(tmp_path / "pm.dcm")
    assert sorted(found) == [0, 4, 8] and all((found[4.0 * z] == difference[z]).all() for z in range(3))
    region = np.zeros((3, 6, 5), bool)
    region[1:, 2:4, 1:3] = True
    checked(segmentation(region, "nodule", series, PGD), series, tmp_path / "seg.dcm")
    found = read_frames(tmp_path / "seg.dcm")
    assert sorted(found) == [4, 8] and all((found[4.0 * z] == region[z]).all() for z in (1, 2))
    volume = hd.seg.segread(tmp_path / "seg.dcm").get_volume(combine_segments=True)
    assert volume.array.sum() == region.sum() and np.allclose(sorted(volume.spacing), [2, 3, 4])
    checked(report([Verdict("nodule", 0.93, 0.02)], series, PGD), series, tmp_path / "sr.dcm")
    values = [
        each.value
        for each in hd.sr.srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()[0].get_measurements()
    ]
    assert values == [0.93, 0.02]
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    checked(picture(pixels, series, PGD), series, tmp_path / "sc.dcm")
    assert (hd.imread(tmp_path / "sc.dcm").get_frames(dtype=np.uint8)[0] == pixels).all()


@pytest.mark.parametrize("modality", ["CR", "XC"])
def test_objects_of_one_image_without_a_place(modality: str, tmp_path: Path) -> None:
    shape = (16, 12, 3) if modality == "XC" else (16, 12)
    voxels = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    source = dataset(modality, voxels=voxels, PatientOrientation=["L", "F"], PixelSpacing=[0.2, 0.1])
    series = scan(write(source, tmp_path / "in" / "a.dcm"))[0]
    difference = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    ds = checked(parametric_map(difference, "level", series, PGD, bound=8), series, tmp_path / "pm.dcm")
    frames = hd.imread(tmp_path / "pm.dcm").get_frames()
    assert (np.moveaxis(frames, 0, -1) == difference[0]).all() if modality == "XC" else (frames == difference).all()
    labels = [
        (each.RealWorldValueMappingSequence if "RealWorldValueMappingSequence" in each else shared)[0].LUTLabel
        for each in ds.PerFrameFunctionalGroupsSequence
        for shared in [ds.SharedFunctionalGroupsSequence[0].get("RealWorldValueMappingSequence")]
    ]
    assert labels == (["RED DIFFERENCE", "GREEN DIFFERENCE", "BLUE DIFFERENCE"] if modality == "XC" else ["DIFFERENCE"])
    plane = ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    assert plane == [1, 0, 0, 0, 0, -1] and ds.FrameOfReferenceUID != source.FrameOfReferenceUID
    region = np.zeros((1, 16, 12), bool)
    region[0, 4:8, 3:9] = True
    checked(segmentation(region, "nodule", series, PGD), series, tmp_path / "seg.dcm")
    assert (hd.imread(tmp_path / "seg.dcm").get_frames()[0] == region[0]).all()
    checked(report([Verdict("nodule", 0.93, 0.02)], series, PGD), series, tmp_path / "sr.dcm")
    checked(
        picture(voxels if modality == "XC" else np.stack([voxels] * 3, axis=-1), series, PGD),
        series,
        tmp_path / "sc.dcm",
    )


def test_an_image_that_says_nothing_of_its_sides_takes_no_map(tmp_path: Path) -> None:
    series = scan(write(dataset("XC", voxels=np.zeros((6, 5, 3), np.uint8)), tmp_path / "a.dcm"))[0]
    with pytest.raises(OutputError, match="neither where it lies in the patient nor which way"):
        parametric_map(np.zeros((1, 6, 5, 3), np.float32), "level", series, PGD, bound=8)


def test_frames_without_a_place_take_no_map(tmp_path: Path) -> None:
    voxels = np.zeros((3, 6, 5), np.uint8)
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=3, PixelData=voxels.tobytes())
    series = scan(write(ds, tmp_path / "a.dcm"))[0]
    with pytest.raises(OutputError, match="have no position in the patient"):
        parametric_map(np.zeros((3, 6, 5), np.float32), "level", series, PGD, bound=8)


@pytest.mark.parametrize("sets", ["ISO_IR 100", ["", "ISO 2022 IR 87"]])
def test_names_and_labels_keep_their_letters(sets: list[str] | str, folder: Folder, tmp_path: Path) -> None:
    name = "Müller^Jürgen" if isinstance(sets, str) else "Yamada^Tarou=山田^太郎"
    series = scan(folder(2, SpecificCharacterSet=sets, PatientName=name))[0]
    made = {
        "pm": parametric_map(np.ones((2, 16, 12), np.float32), "HU", series, PGD, bound=8),
        "seg": segmentation(np.ones((2, 16, 12), bool), "肺炎", series, PGD),
        "sr": report([Verdict("肺炎", 0.93, 0.02)], series, PGD),
        "sc": picture(np.zeros((20, 30, 3), np.uint8), series, PGD),
    }
    for kind, ds in made.items():
        assert checked(ds, series, tmp_path / f"{kind}.dcm").PatientName == name
    assert "肺炎" in str(pydicom.dcmread(tmp_path / "sr.dcm"))
    assert pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence[0].SegmentLabel == "肺炎"

"""Enhanced multi-frame images: each frame at its own place, with its own meaning; written back as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.errors import SeriesError
from tests.dicom.making import dataset, dciodvfy, write

Folder = Callable[..., Path]


def group(**sequences: Dataset) -> Dataset:
    found = Dataset()
    for keyword, item in sequences.items():
        setattr(found, keyword, Items([item]))
    return found


def item(**values: object) -> Dataset:
    found = Dataset()
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


def enhanced(path: Path, heights: list[float], echoes: list[float] | None = None) -> Path:
    """An enhanced MR whose frames lie at `heights`, in the order of the file."""
    voxels = np.stack([np.full((6, 5), 10 * index + 1, np.uint16) for index in range(len(heights))])
    ds = dataset("MR", voxels=voxels[0], NumberOfFrames=len(heights), ImagePositionPatient=None)
    del ds.ImageOrientationPatient, ds.PixelSpacing
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.PixelData = voxels.tobytes()
    ds.SharedFunctionalGroupsSequence = Items(
        [
            group(
                PixelMeasuresSequence=item(PixelSpacing=[2, 3], SliceThickness=4),
                PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
                MRImageFrameTypeSequence=item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]),
            )
        ]
    )
    own = []
    for index, height in enumerate(heights):
        frame = group(
            PlanePositionSequence=item(ImagePositionPatient=[1, 2, height]),
            PixelValueTransformationSequence=item(RescaleSlope=1 + index, RescaleIntercept=-5, RescaleType="US"),
            FrameVOILUTSequence=item(WindowCenter=40, WindowWidth=80),
        )
        if echoes:
            frame.MREchoSequence = Items([item(EffectiveEchoTime=echoes[index])])
        own.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Items(own)
    return write(ds, path)


def test_frames_are_ordered_by_position(tmp_path: Path) -> None:
    series = scan(enhanced(tmp_path / "a.dcm", [8, 0, 4]))[0]
    assert (len(series.instances), series.frames) == (1, 3)
    volume = decode(series)
    assert volume.voxels[:, 0, 0].tolist() == [11, 21, 1]
    assert volume.scale.slope.tolist() == [2, 3, 1] and set(volume.scale.intercept) == {-5}
    assert np.allclose(volume.affine, [[0, 0, 3, 1], [0, 2, 0, 2], [4, 0, 0, 0], [0, 0, 0, 1]])
    assert (volume.windows[0].center, volume.windows[0].width) == (40, 80)


def test_one_file_with_two_echoes_is_two_volumes(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "in" / "a.dcm", [0, 0, 4, 4, 8, 8], [10.0, 20.0] * 3)
    found = scan(path)
    assert [series.part for series in found] == ["echo time 10 ms", "echo time 20 ms"]
    assert decode(found[1]).voxels[:, 0, 0].tolist() == [11, 31, 51]
    volume = decode(found[1])
    files = save(volume, found[1], Derivation("x"), tmp_path / "out")
    ds = pydicom.dcmread(files[0])
    assert len(files) == 1 and ds.NumberOfFrames == 3 == len(ds.PerFrameFunctionalGroupsSequence)
    again = scan(tmp_path / "out")[0]
    assert (decode(again).voxels == volume.voxels).all() and np.allclose(decode(again).affine, volume.affine)
    assert (decode(again).scale.slope == volume.scale.slope).all()


def test_written_back_as_one_file(tmp_path: Path) -> None:
    source = enhanced(tmp_path / "in" / "a.dcm", [8, 0, 4])
    series = scan(source)[0]
    volume = decode(series)
    changed = volume.with_voxels(volume.voxels + np.arange(3, dtype=np.uint16)[:, None, None])
    files = save(changed, series, Derivation("x"), tmp_path / "out")
    ds = pydicom.dcmread(files[0])
    assert ds.pixel_array[:, 0, 0].tolist() == [1 + 2, 11, 21 + 1]
    assert list(ds.ImageType) == ["DERIVED", "PRIMARY", "VOLUME", "NONE"] and ds.SyntheticData == "YES"
    shared = ds.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence[0]
    assert shared.FrameType[0] == "DERIVED"
    again = decode(scan(tmp_path / "out")[0])
    assert (again.voxels == changed.voxels).all() and "synthetic: marked as adversarial test image" in again.facts
    assert dciodvfy(files[0]) <= dciodvfy(source)


@pytest.mark.parametrize("heights", [list(range(20)), [0, 1, 2, 3, 5, 4, *range(6, 20)], list(range(20, 0, -1))])
def test_frames_that_follow_one_another(tmp_path: Path, heights: list[float]) -> None:
    """Read at once or one by one: the frames in order, without the junk above their bits."""
    ds = pydicom.dcmread(enhanced(tmp_path / "a.dcm", heights))
    stored = np.random.default_rng(0).integers(0, 1 << 12, (20, 6, 5), np.uint16)
    ds.BitsStored, ds.HighBit, ds.PixelData = 12, 11, (stored | 0xA000).tobytes()
    volume = decode(scan(write(ds, tmp_path / "b.dcm"))[0])
    assert (volume.voxels == stored[np.argsort(heights)]).all()


def test_too_few_functional_groups(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "a.dcm", [8, 0, 4])
    ds = pydicom.dcmread(path)
    ds.PerFrameFunctionalGroupsSequence = Items(list(ds.PerFrameFunctionalGroupsSequence)[:2])
    ds.save_as(path)
    with pytest.raises(SeriesError, match="tells of 2 frames and holds 3"):
        scan(path)


def test_legacy_converted_ct_is_the_same_volume(folder: Folder, tmp_path: Path) -> None:
    legacy = pytest.importorskip("highdicom.legacy")
    series = scan(folder(4))[0]
    made = legacy.LegacyConvertedEnhancedCTImage(
        [pydicom.dcmread(each.path) for each in series.instances], "1.2.3.1", 5, "1.2.3.2", 1
    )
    made.save_as(tmp_path / "legacy.dcm")
    one, other = decode(series), decode(scan(tmp_path / "legacy.dcm")[0])
    assert (one.voxels == other.voxels).all() and np.allclose(one.affine, other.affine)
    assert other.scale.unit == "HU" and (one.scale.intercept == other.scale.intercept).all()


def test_dose_grid_has_places(tmp_path: Path) -> None:
    voxels = np.arange(3 * 6 * 5, dtype=np.uint32).reshape(3, 6, 5)
    ds = dataset("CT", voxels=voxels[0], NumberOfFrames=3, RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
    ds.Modality, ds.SOPClassUID, ds.PixelData = "RTDOSE", "1.2.840.10008.5.1.4.1.1.481.2", voxels.tobytes()
    ds.GridFrameOffsetVector, ds.DoseGridScaling, ds.DoseUnits = [0, 3, 6], 0.01, "GY"
    volume = decode(scan(write(ds, tmp_path / "a.dcm"))[0])
    assert (
        volume.placed and volume.spacing[0] == 3 and volume.scale.unit == "GY" and volume.scale.slope.tolist() == [0.01]
    )


def test_a_derived_file_is_no_part_of_the_sources_concatenation(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "in" / "a.dcm", [8, 0, 4])
    ds = pydicom.dcmread(path)
    ds.ConcatenationUID, ds.SOPInstanceUIDOfConcatenationSource = "1.2.3.4", "1.2.3.5"
    ds.InConcatenationNumber, ds.InConcatenationTotalNumber, ds.ConcatenationFrameOffsetNumber = 1, 2, 0
    ds.save_as(path)
    series = scan(path)[0]
    derived = pydicom.dcmread(save(decode(series), series, Derivation("x"), tmp_path / "out")[0])
    assert not [element.keyword for element in derived if "Concatenation" in element.keyword]


def test_times_that_are_fewer_than_the_frames_are_left_out(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "in" / "a.dcm", [0, 0, 4, 4], [10.0, 20.0] * 2)
    ds = pydicom.dcmread(path)
    ds.FrameTimeVector = [0, 1, 2]
    ds.save_as(path)
    series = scan(path)[1]
    derived = pydicom.dcmread(save(decode(series), series, Derivation("x"), tmp_path / "out")[0])
    assert "FrameTimeVector" not in derived and derived.NumberOfFrames == 2


def pile(path: Path, **changed: Any) -> Path:
    """Four frames without a place."""
    voxels = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)
    ds = dataset("MR", voxels=voxels[0], ImagePositionPatient=None, ImageOrientationPatient=None)
    ds.NumberOfFrames, ds.PixelData = 4, voxels.tobytes()
    for keyword, value in changed.items():
        setattr(ds, keyword, value)
    return write(ds, path)


@pytest.mark.parametrize("frames", [2, 0, None])
def test_frames_that_the_header_does_not_tell_of_are_no_padding(tmp_path: Path, frames: int | None) -> None:
    series = scan(pile(tmp_path / "a.dcm", NumberOfFrames=4 if frames is None else frames))[0]
    if frames is None:
        assert len(decode(series).voxels) == 4
        return
    with pytest.raises(SeriesError, match="holds the pixels of 4"):
        decode(series)


def test_tiles_of_a_slide_are_no_slices(tmp_path: Path) -> None:
    series = scan(pile(tmp_path / "a.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.6"))[0]
    with pytest.raises(SeriesError, match="whole-slide image"):
        decode(series)


def test_frames_without_a_place_keep_their_distance(tmp_path: Path) -> None:
    volume = decode(scan(pile(tmp_path / "a.dcm", Modality="NM", SpacingBetweenSlices=-5))[0])
    assert not volume.placed and volume.spacing == (5, 0.5, 0.75)


def test_slices_in_different_units_are_no_volume(tmp_path: Path) -> None:
    for index in range(4):
        rescale: dict[str, Any] = (
            {} if index != 2 else dict.fromkeys(("RescaleSlope", "RescaleIntercept", "RescaleType"))
        )
        write(dataset("CT", index, **rescale), tmp_path / f"{index}.dcm")
    with pytest.raises(SeriesError, match=r"different units \(HU, rescaled value\)"):
        decode(scan(tmp_path)[0])

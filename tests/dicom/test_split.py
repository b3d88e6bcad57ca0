"""The traps: several volumes under one uid come apart, each with what tells it from the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from napari_medadv.errors import SeriesError
from tests.dicom.making import dataset, write

Folder = Callable[..., Path]


def place(index: int) -> list[float]:
    """Two volumes of four slices at the same places, file by file in turn."""
    return [0, 0, float(index // 2)]


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"AcquisitionNumber": lambda i: 1 + i % 2}, ["acquisition 1", "acquisition 2"]),
        ({"EchoTime": lambda i: [4.6, 2.3][i % 2]}, ["echo time 2.3 ms", "echo time 4.6 ms"]),
        ({"DiffusionBValue": lambda i: [0.0, 1000.0][i % 2]}, ["b-value 0 s/mm2", "b-value 1000 s/mm2"]),
        ({"TemporalPositionIdentifier": lambda i: 1 + i % 2}, ["time point 1", "time point 2"]),
        ({"TriggerTime": lambda i: 100 * (i % 2)}, ["trigger time 0 ms", "trigger time 100 ms"]),
        (
            {"ImageType": lambda i: ["ORIGINAL", "PRIMARY", "MP"[i % 2]]},
            ["image type ORIGINAL/PRIMARY/M", "image type ORIGINAL/PRIMARY/P"],
        ),
        ({"AcquisitionTime": lambda i: f"1010{i:02d}"}, ["acquisition time, 1 of 2", "acquisition time, 2 of 2"]),
    ],
)
def test_two_volumes_at_one_place(folder: Folder, changed: dict[str, object], parts: list[str]) -> None:
    found = scan(folder(8, "MR", ImagePositionPatient=place, **changed))
    assert sorted(series.part for series in found) == parts
    for series in found:
        volume = decode(series)
        assert volume.shape[0] == 4 and volume.spacing[0] == 1


def test_what_cannot_be_told_apart_is_refused(folder: Folder) -> None:
    series = scan(folder(8, ImagePositionPatient=place))
    with pytest.raises(SeriesError, match="4 of its 8 slices lie where another one lies"):
        decode(series[0])


def test_localizer_apart(folder: Folder) -> None:
    path = folder(4)
    localizer = dataset(
        "CT", 9, ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    )
    write(localizer, path / "localizer.dcm")
    found = {series.part: series for series in scan(path)}
    assert sorted(found) == ["", "localizer"] or sorted(found) == ["localizer", "orientation axial"]
    assert sorted(decode(series).shape[0] for series in found.values()) == [1, 4]


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (
            {"ImageOrientationPatient": lambda i: [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]][i // 4]},
            ["orientation axial", "orientation sagittal"],
        ),
        ({"voxels": lambda i: np.zeros((4 + i // 4, 4), np.int16)}, ["size 4 x 4", "size 4 x 5"]),
        ({"PixelSpacing": lambda i: [1, 1 + i // 4]}, ["pixel spacing 1 x 1", "pixel spacing 1 x 2"]),
        ({"FrameOfReferenceUID": lambda i: f"1.2.{i // 4}"}, ["frame of reference 1", "frame of reference 2"]),
        (
            {"voxels": lambda i: np.zeros((4, 4), [np.int16, np.uint16][i // 4])},
            ["pixel format MONOCHROME2 signed 16 of 16 bits", "pixel format MONOCHROME2 unsigned 16 of 16 bits"],
        ),
    ],
)
def test_what_can_never_be_one_volume(folder: Folder, changed: dict[str, object], parts: list[str]) -> None:
    def shift(index: int) -> list[float]:
        return [float(index), 0, float(index)] if "ImageOrientationPatient" in changed else [0, 0, float(index)]

    found = scan(folder(8, ImagePositionPatient=shift, **changed))
    assert sorted(series.part for series in found) == parts


def test_radiographs_of_one_series_are_volumes_of_their_own(folder: Folder) -> None:
    found = scan(folder(3, "CR", InstanceNumber=lambda i: i + 1))
    assert sorted(series.part for series in found) == ["image 1", "image 2", "image 3"]
    assert all(decode(series).shape[0] == 1 for series in found)


def test_copies_are_left_out(folder: Folder) -> None:
    path = folder(4)
    one = sorted(path.iterdir())[0]
    (path / "zz_copy.dcm").write_bytes(one.read_bytes())
    found = scan(path)
    assert decode(found[0]).shape[0] == 4
    assert found.rejected[0].reason == f"zz_copy.dcm is a copy of {one.name}: it is left out."


@pytest.mark.parametrize(("places", "kind"), [([0, 1, 2, 4], "gap"), ([0, 1, 2.2, 3], "uneven")])
def test_a_gap_can_be_allowed_and_stays_a_fact(folder: Folder, places: list[float], kind: str) -> None:
    series = scan(folder(4, ImagePositionPatient=lambda i: [0, 0, places[i]]))[0]
    assert [problem.kind for problem in series.problems] == [kind]
    volume = decode(series, allow=[kind])  # type: ignore[list-item]
    assert volume.facts[0].startswith("allowed by choice: ") and "mm from their place" in volume.facts[0]
    assert np.isclose(volume.spacing[0], places[-1] / 3)


def test_two_patients_or_studies_under_one_uid_are_never_one_volume(folder: Folder) -> None:
    other = {
        "PatientID": "P2",
        "PatientName": "Roe^Anna",
        "ImagePositionPatient": lambda i: [-10, -20, 105.0 + 2.5 * i],
    }
    folder(4)
    folder(4, name="source/more", SOPInstanceUID=lambda i: f"1.2.{i}", **other)
    assert [(each.part, each.frames) for each in scan(folder(4))] == [("patient 1", 4), ("patient 2", 4)]
    folder(4, name="again")
    folder(4, name="again/more", SOPInstanceUID=lambda i: f"1.2.{i}", StudyInstanceUID="1.2.3")
    found = scan(folder(4, name="again"))
    assert [each.part for each in found] == ["study 1", "study 2"]
    assert {each.study_uid for each in found} == {found[0].study_uid, "1.2.3"}


def test_a_namesake_with_other_pixels_is_no_copy(folder: Folder) -> None:
    path = folder(4)
    one = sorted(path.iterdir())[0]
    data = bytearray(one.read_bytes())
    data[-1] ^= 1
    (path / "zz_other.dcm").write_bytes(data)
    found = scan(path)
    assert not found.rejected
    with pytest.raises(SeriesError, match="1 of its 5 slices lie where another one lies"):
        decode(found[0])


def test_mosaic_is_named(folder: Folder) -> None:
    series = scan(folder(1, "MR", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]))[0]
    with pytest.raises(SeriesError, match="mosaic"):
        decode(series)
    assert "mosaic" in decode(series, allow=["mosaic"]).facts[0]


def test_the_tree_names_nobody(folder: Folder, tmp_path: Path) -> None:
    folder(2)
    folder(2, "MR", name="source/mr", PatientID="other", StudyInstanceUID="1.2.3")
    tree = scan(tmp_path / "source").tree
    assert len(tree) == 2 and all(len(studies) == 1 for studies in tree.values())
    assert "P1" not in str(tree.keys())

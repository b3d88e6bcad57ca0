"""Parametric maps and segmentations that highdicom writes come back as the volumes that they were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code

from napari_medadv.dicom import Derivation, decode, scan
from napari_medadv.dicom.objects import parametric_map, segmentation
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Window

Folder = Callable[..., Path]
hd = pytest.importorskip("highdicom")


def test_a_parametric_map_is_read(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(4))[0]
    difference = np.random.default_rng(0).normal(size=(4, 16, 12)).astype(np.float32)
    parametric_map(difference, "HU", series, Derivation("x"), bound=8).save_as(tmp_path / "map.dcm")
    volume = decode(scan(tmp_path / "map.dcm")[0])
    assert np.array_equal(volume.voxels, difference) and volume.real
    assert np.allclose(volume.affine, decode(series).affine)
    assert volume.scale.unit == "HU" and volume.window == Window(0, 16)
    assert any("no grey levels" in fact for fact in volume.facts)


def test_a_map_of_two_quantities_is_refused(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(2))[0]
    made = parametric_map(np.zeros((2, 16, 12), np.float32), "HU", series, Derivation("x"), bound=8)
    shared = made.SharedFunctionalGroupsSequence[0]
    for index, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        item = pydicom.Dataset.from_json(shared.RealWorldValueMappingSequence[0].to_json())
        item.MeasurementUnitsCodeSequence[0].CodeValue = ["Gy", "mm2/s"][index]
        group.RealWorldValueMappingSequence = pydicom.Sequence([item])
    del shared.RealWorldValueMappingSequence
    made.save_as(tmp_path / "map.dcm")
    with pytest.raises(SeriesError, match="frames of different quantities"):
        decode(scan(tmp_path / "map.dcm")[0])


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segmentation_is_read(kind: str, folder: Folder, tmp_path: Path) -> None:
    sources = [pydicom.dcmread(each.path) for each in scan(folder(4))[0].instances]
    masks = np.random.default_rng(0).integers(0, 2, (4, 16, 12, 2)).astype(np.uint8)
    masks[..., 1] &= 1 - masks[..., 0]
    code = Code("91723000", "SCT", "Anatomical Structure")
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=masks.copy(),
        segmentation_type=kind,
        segment_descriptions=[
            hd.seg.SegmentDescription(number, f"s{number}", code, code, "MANUAL") for number in (1, 2)
        ],
        series_instance_uid="1.2.3.4",
        series_number=1,
        sop_instance_uid="1.2.3.5",
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=False,
        **({} if kind != "FRACTIONAL" else {"max_fractional_value": 200}),
    )
    made.save_as(tmp_path / "seg.dcm")
    found = scan(tmp_path / "seg.dcm")
    if kind == "LABELMAP":
        assert (decode(found[0]).voxels == masks[..., 0] + 2 * masks[..., 1]).all()
        return
    assert [series.part for series in found] == ["segment 1", "segment 2"]
    for index, series in enumerate(found):
        volume = decode(series)
        assert (volume.voxels == masks[..., index] * (200 if kind == "FRACTIONAL" else 1)).all()
        assert np.allclose(volume.affine, decode(scan(tmp_path / "source")[0]).affine)


def test_a_segmentation_of_some_slices_lies_at_its_place(folder: Folder, tmp_path: Path) -> None:
    series = scan(folder(4))[0]
    region = np.zeros((4, 16, 12), bool)
    region[1:3, 4:9, 3:10] = True
    segmentation(region, "nodule", series, Derivation("x")).save_as(tmp_path / "seg.dcm")
    volume = decode(scan(tmp_path / "seg.dcm")[0])
    assert (volume.voxels == region[1:3]).all() and np.allclose(volume.affine[:3, 3], [-10, -20, 7.5])

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
from tests.dicom.making import dciodvfy

pytest.importorskip("highdicom")
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

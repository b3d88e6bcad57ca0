"""The traps, and what SimpleITK makes of them: ours is the right volume, a split, or a sentence; theirs is pinned for comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from napari_medadv.dicom import decode, scan
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Array
from tests.dicom.making import dataset, write

Folder = Callable[..., Path]


def itk(path: Path) -> tuple[Array, tuple[float, ...]]:
    """What SimpleITK reads from a folder: voxels and spacing (z, y, x)."""
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # type: ignore[no-untyped-call]
    reader: Any = SimpleITK.ImageSeriesReader()  # type: ignore[no-untyped-call]
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))  # type: ignore[no-untyped-call]
    image = reader.Execute()
    return SimpleITK.GetArrayFromImage(image), tuple(image.GetSpacing()[::-1])


def test_monochrome1_is_not_inverted(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    path = write(dataset("CR", voxels=pixels, PhotometricInterpretation="MONOCHROME1"), tmp_path / "in" / "a.dcm")
    assert (decode(scan(path)[0]).voxels[0] == pixels).all()
    assert not (itk(tmp_path / "in")[0][0] == pixels).all()


def test_slope_of_each_slice(folder: Folder) -> None:
    path = folder(3, "PT", RescaleSlope=lambda i: [1, 0.5, 0.25][i], RescaleIntercept=0, Units="BQML")
    values = decode(scan(path)[0]).values()
    assert values[1, 0, 1] == pytest.approx(101 * 0.5) and values[2, 0, 1] == pytest.approx(201 * 0.25)
    theirs = itk(path)[0]
    assert theirs[1, 0, 1] == 50 and theirs.dtype.kind == "i"  # the first file decides the type: the fraction is lost


def test_missing_slice(folder: Folder) -> None:
    path = folder(4, ImagePositionPatient=lambda i: [0, 0, [0, 1, 2, 4][i]])
    with pytest.raises(SeriesError, match="1 slice is missing"):
        decode(scan(path)[0])
    assert itk(path)[1][0] == pytest.approx(4 / 3)


def test_tilt(folder: Folder) -> None:
    path = folder(4, ImagePositionPatient=lambda i: [0, i * 1.0, i * 2.5])
    volume = decode(scan(path)[0])
    assert np.allclose(volume.affine[:3, 0], [0, 1, 2.5]) and "tilted" in volume.facts[0]
    assert itk(path)[0].shape == volume.shape  # opened, with an orthogonal direction: the shear is lost


def test_two_acquisitions(folder: Folder) -> None:
    path = folder(8, AcquisitionNumber=lambda i: 1 + i % 2, ImagePositionPatient=lambda i: [0, 0, i // 2])
    assert [decode(series).shape[0] for series in scan(path)] == [4, 4]
    assert itk(path)[0].shape[0] == 8


def test_no_position(folder: Folder) -> None:
    path = folder(4, ImagePositionPatient=None)
    assert [series.frames for series in scan(path)] == [1, 1, 1, 1]
    assert not any(decode(series).placed for series in scan(path))
    assert itk(path)[0].shape[0] == 4  # a stack with an invented spacing

"""A CT series, and one enhanced CT, for benchmarks: realistic noise and shapes, headers of some 250 elements cloned from pydicom's CT_small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID
from skimage import filters

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.compress import compress

gaussian: Any = filters.gaussian
ENCODERS = {
    "uncompressed": a.EXPLICIT,
    "JPEG-LS": a.JPEG_LS,
    "JPEG lossless": a.JPEG_LOSSLESS_SV1,
    "HTJ2K": a.HTJ2K_LOSSLESS,
    "JPEG 2000": a.JPEG2000_LOSSLESS,
    "RLE": a.RLE,
}
"""Transfer syntaxes by name."""


def slices(count: int, size: int = 512, seed: int = 0) -> np.ndarray:
    """A body with lungs, vessels and correlated noise: int16 stored values, (z, y, x), HU plus 1024."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    body = (x / 0.9) ** 2 + (y / 0.7) ** 2 < 1
    lungs = (((np.abs(x) - 0.4) / 0.3) ** 2 + (y / 0.5) ** 2 < 1) & body
    vessels = gaussian(random.normal(size=(size, size)), 3) > 0.2
    clean = np.where(body, 40.0, -1000.0)
    clean[lungs] = np.where(vessels, 30.0, -850.0)[lungs]
    out = np.empty((count, size, size), np.int16)
    noise = [gaussian(random.normal(size=(size, size)), 0.8) * 60 for _ in range(8)]
    for index in range(count):
        shown = clean + np.roll(noise[index % 8], index * 13, axis=(index % 2)) * body
        out[index] = np.rint(np.clip(shown, -1024, 3000) + 1024)
        out[index][x**2 + y**2 > 1] = -2000
    return out


def series(folder: Path, count: int, syntax: str = "uncompressed", size: int = 512) -> Path:
    """Write a series; the names of its files are in no order."""
    folder.mkdir(parents=True)
    found = get_testdata_file("CT_small.dcm")
    dataset: Any = pydicom.dcmread(str(found))
    uid = ENCODERS[syntax]
    voxels = slices(count, size)
    order = np.random.default_rng(1).permutation(count)
    numbers = [each for each in dataset if each.tag.is_private and each.VR in ("DS", "SL", "FL") and each.VM == 1][:20]
    for index in range(count):
        for number in numbers:  # what scanners note of every slice
            number.value = (7 * index + number.tag.element) % 90 + (0.25 * index if number.VR == "DS" else 0)
        dataset.SliceLocation = -75.0 + 1.25 * index
        dataset.AcquisitionTime = dataset.ContentTime = f"{101500 + index // 60 % 60 * 100 + index % 60}.{index:03d}"[
            :10
        ]
        dataset.pop("ImageComments", None)
        if index % 7 == 3:
            dataset.ImageComments = "repeated"
        dataset.Rows = dataset.Columns = size
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.4.{index + 1}")
        dataset.InstanceNumber = index + 1
        dataset.ImagePositionPatient = [-158, -179, -75.0 + 1.25 * index]
        dataset.PixelPaddingValue = -2000
        dataset.file_meta.TransferSyntaxUID = UID(uid)
        data = voxels[index].tobytes() if syntax == "uncompressed" else compress(uid, voxels[index])
        dataset.PixelData = data if syntax == "uncompressed" else encapsulate([data])
        dataset["PixelData"].VR = "OW" if syntax == "uncompressed" else "OB"
        dataset["PixelData"].is_undefined_length = syntax != "uncompressed"
        dataset.save_as(folder / f"{order[index]:04d}.dcm")
    return folder


def multiframe(path: Path, count: int, size: int = 512) -> Path:
    """Write one enhanced CT whose frames lie in the order of their places, each with its own functional groups."""
    dataset: Any = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(dataset, keyword)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2.1")
    dataset.Rows = dataset.Columns = size
    dataset.NumberOfFrames = count
    shared: dict[str, dict[str, Any]] = {
        "PixelMeasuresSequence": {"PixelSpacing": [0.66, 0.66], "SliceThickness": 1.25},
        "PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        "PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"},
    }
    own: list[dict[str, dict[str, Any]]] = [
        {
            "FrameContentSequence": {"InStackPositionNumber": index + 1, "StackID": "1"},
            "PlanePositionSequence": {"ImagePositionPatient": [-158, -179, -75.0 + 1.25 * index]},
            "FrameVOILUTSequence": {"WindowCenter": 40, "WindowWidth": 400},
        }
        for index in range(count)
    ]
    dataset.SharedFunctionalGroupsSequence = [_groups(shared)]
    dataset.PerFrameFunctionalGroupsSequence = [_groups(each) for each in own]
    dataset.PixelData = slices(count, size).tobytes()
    dataset.save_as(path)
    return path


def _groups(found: dict[str, dict[str, Any]]) -> Dataset:
    groups = Dataset()
    for name, values in found.items():
        item = Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        setattr(groups, name, [item])
    return groups

"""A CT series from voxels that no scanner made: for the phantom, the demonstration and the tests."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import uuid
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from napari_medadv.errors import OutputError
from napari_medadv.volume import Array

INTERCEPT = -1024


def write_series(
    folder: Path,
    voxels: Array,
    spacing: tuple[float, float, float],
    *,
    key: str,
    description: str = "Procedural chest phantom",
) -> tuple[Path, ...]:
    """Write a CT series, one file a slice, marked as synthetic.

    Parameters
    ----------
    folder
        Where to; it must not exist yet, or be empty.
    voxels
        HU, integers from -1024 to 3071, (z, y, x): z from feet to head, y from front to back, x from right to left.
    spacing
        Distance of voxel centres along (z, y, x), mm.
    key
        What the series is made from; the same key gives the same uids, and so the same bytes.
    description
        Series Description.

    Raises
    ------
    OutputError
        The folder holds something already, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"The folder {folder.name} is not empty: name a new one.")
    depth, height, width = voxels.shape
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".medadv-", dir=folder.parent))
    except OSError as error:
        raise OutputError(
            f"The folder {folder.name} cannot be made ({error.strerror}): choose another place."
        ) from error
    try:
        for index in range(depth):
            instance = _header(key, index, description)
            instance.Rows, instance.Columns = height, width
            instance.PixelSpacing = [spacing[1], spacing[2]]
            instance.SliceThickness = spacing[0]
            x, y, z = (-(n - 1) / 2 * s for n, s in zip((width, height, depth), spacing[::-1], strict=True))
            instance.ImagePositionPatient = [round(x, 4), round(y, 4), round(z + index * spacing[0], 4)]
            instance.SliceLocation = round(z + index * spacing[0], 4)
            instance.PixelData = (voxels[index].astype(np.int32) - INTERCEPT).astype("<u2").tobytes()
            instance.save_as(aside / f"{index:04d}.dcm", enforce_file_format=True)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
    except OSError as error:
        raise OutputError(
            f"The series cannot be written ({error.strerror}): free some space or choose another place."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return tuple(sorted(folder.iterdir()))


def _uid(*parts: object) -> UID:
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}")


def _header(key: str, index: int, description: str) -> Dataset:
    """All that does not depend on the pixels, for one slice."""
    instance = Dataset()
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance.file_meta.MediaStorageSOPClassUID = instance.SOPClassUID = CTImageStorage
    instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID = _uid(key, "instance", index)
    instance.StudyInstanceUID, instance.SeriesInstanceUID = _uid(key, "study"), _uid(key, "series")
    instance.FrameOfReferenceUID = _uid(key, "frame")
    instance.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    instance.SyntheticData = "YES"
    instance.Modality, instance.Manufacturer, instance.ManufacturerModelName = (
        "CT",
        "napari-medadv",
        "procedural phantom",
    )
    instance.PatientName, instance.PatientID = "PHANTOM^CHEST", "PHANTOM"
    instance.PatientBirthDate = instance.PatientSex = ""
    instance.StudyDate = instance.StudyTime = instance.AccessionNumber = instance.ReferringPhysicianName = ""
    instance.StudyID, instance.SeriesNumber, instance.AcquisitionNumber, instance.InstanceNumber = "1", 1, 1, index + 1
    instance.SeriesDescription = description
    instance.Laterality = ""
    instance.PatientPosition, instance.PositionReferenceIndicator, instance.KVP = "HFS", "", 120
    instance.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 1, "MONOCHROME2"
    instance.BitsAllocated, instance.BitsStored, instance.HighBit, instance.PixelRepresentation = 16, 12, 11, 0
    instance.RescaleIntercept, instance.RescaleSlope, instance.RescaleType = INTERCEPT, 1, "HU"
    instance.WindowCenter, instance.WindowWidth = [-600, 40], [1500, 400]
    instance.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
    return instance

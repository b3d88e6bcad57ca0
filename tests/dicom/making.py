"""Small DICOM files made here: a CT, MR, radiograph or photograph of a few pixels, with whatever is asked for changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "XC": "1.2.840.10008.5.1.4.1.1.77.1.4",
}


def dataset(
    modality: str = "CT", index: int = 0, *, voxels: np.ndarray[Any, Any] | None = None, **changed: Any
) -> Dataset:
    """One valid image; `changed` sets attributes by keyword, None deletes one."""
    ds = Dataset()
    ds.SOPClassUID = CLASSES[modality]
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[modality, str(index), str(changed)])
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", modality])
    ds.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Modality = modality
    ds.Manufacturer = "TEST"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "P1", "19700101", "F"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.ReferringPhysicianName, ds.StudyID = (
        "20200101",
        "101010",
        "A1",
        "Ref^A",
        "1",
    )
    ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription = 3, 100 - index, "thorax"
    if voxels is None:
        voxels = (np.arange(16 * 12, dtype=np.int16).reshape(16, 12) + 100 * index).astype(np.int16)
    ds.Rows, ds.Columns = voxels.shape[:2]
    bits = voxels.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(voxels.dtype.kind == "i")
    ds.SamplesPerPixel = 3 if voxels.ndim == 3 else 1
    ds.PhotometricInterpretation = "RGB" if voxels.ndim == 3 else "MONOCHROME2"
    if voxels.ndim == 3:
        ds.PlanarConfiguration = 0
    if modality in ("CT", "MR", "PT"):
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [-10, -20, 5.0 + 2.5 * index], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness, ds.PositionReferenceIndicator = [0.5, 0.75], 2.5, ""
    if modality == "CT":
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
        ds.WindowCenter, ds.WindowWidth = [-600, 40], [1500, 400]
        ds.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
        ds.KVP, ds.AcquisitionNumber, ds.PatientPosition = 120, 1, "HFS"
    data = np.ascontiguousarray(voxels).tobytes()
    ds.add_new(0x7FE00010, "OW" if bits > 8 else "OB", data + b"\0" * (len(data) % 2))
    for keyword, value in changed.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def write(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write one file; the pixels must fit the syntax already."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, ds, enforce_file_format=True)
    return path


def dciodvfy(path: Path) -> set[str]:
    """The errors that David Clunie's validator finds in a file (its exit code is always 0)."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is missing: install the package dicom3tools to validate what is written")
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
    return {line for line in done.stderr.splitlines() if line.startswith("Error")}

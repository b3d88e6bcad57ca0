from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, generate_uid

from tests.dicom.signature.signed_files import ct, written


def series(folder: Path, slices: int = 6, size: int = 80) -> list[Path]:
    """A series of small slices, each with its own voxels."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    uid, paths = generate_uid(), []
    for index in range(slices):
        dataset = ct(size)
        dataset.SeriesInstanceUID, dataset.InstanceNumber = uid, index + 1
        dataset.PixelData = rng.integers(-500, 2000, (size, size)).astype("<i2").tobytes()
        paths.append(folder / f"{index:03}.dcm")
        paths[-1].write_bytes(written(dataset))
    return paths


def one_level_up(path: Path, row: int, column: int) -> None:
    """Change one stored value by one."""
    dataset = pydicom.dcmread(path)
    voxels = dataset.pixel_array.copy()
    voxels[row, column] += 1
    dataset.PixelData = voxels.tobytes()
    path.write_bytes(written(dataset))


def as_jpeg2000(path: Path, out: Path) -> None:
    """The same stored values under another transfer syntax."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate(
        [bytes(imagecodecs.jpeg2k_encode(dataset.pixel_array, reversible=True, codecformat="j2k"))]
    )
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    out.write_bytes(written(dataset))

"""Chest radiographs from DICOM files, as the presentation values that the network reads."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

LABELS = ("no finding", "pneumonia")
SIZE = (224, 224)


@dataclass(frozen=True, slots=True)
class Radiographs:
    """Labelled radiographs of one stored size.

    Attributes
    ----------
    files
        Path of each radiograph, relative to the folder of the table.
    patients
        Patient identity of each radiograph.
    stored
        uint8, (image, y, x), the stored level.
    targets
        int64, (image,), index into ``LABELS``.
    """

    files: tuple[str, ...]
    patients: NDArray[np.str_]
    stored: Tensor
    targets: Tensor

    def chosen(self, mask: NDArray[np.bool_]) -> Radiographs:
        """Those radiographs where ``mask``, bool, (image,), is true."""
        index = np.flatnonzero(mask)
        rows = torch.from_numpy(index)
        files = tuple(self.files[i] for i in index)
        return Radiographs(files, self.patients[index], self.stored[rows], self.targets[rows])

    @property
    def presentation(self) -> Tensor:
        """float32, (image, 1, y, x), presentation value 0..1 of the 8-bit window 128/256."""
        return presentation_of_levels(self.stored[:, None].float())


def presentation_of_levels(levels: Tensor) -> Tensor:
    """Presentation value 0..1 of 8-bit levels under the window centre 128, width 256 (linear: level / 255)."""
    return levels / 255.0


def resized(presentation: Tensor) -> Tensor:
    """Plain resize, aspect not kept, of (image, 1, y, x) to ``SIZE``."""
    return interpolate(presentation, SIZE, mode="bilinear", align_corners=False, antialias=True)


def read_presentation(path: Path) -> Tensor:
    """float32, (1, 1, y, x), presentation value 0..1 of one file: linear VOI window, MONOCHROME1 inverted."""
    dataset = pydicom.dcmread(path)
    values = dataset.pixel_array.astype(np.float64)
    values = values * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    center, width = float(dataset.WindowCenter), float(dataset.WindowWidth)
    shown = np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    return torch.from_numpy(shown.astype(np.float32))[None, None]


def read_table(folder: Path, split: str, subfolder: str = "cxr") -> Radiographs:
    """Read what ``cxr.csv``, beside ``folder``, lists in ``split`` ("train" or "test") under ``subfolder``."""
    with (folder.parent / "cxr.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    rows = [row for row in rows if row["file"].split("/")[0] == subfolder]
    stored = np.stack([pydicom.dcmread(folder.parent / row["file"]).pixel_array for row in rows])
    return Radiographs(
        files=tuple(row["file"] for row in rows),
        patients=np.array([row["patient"] for row in rows]),
        stored=torch.from_numpy(stored),
        targets=torch.tensor([LABELS.index(row["label"]) for row in rows]),
    )

"""Images of the experiment: what a table names, as levels and as the network is shown them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import torch
from torch import Tensor
from torch.nn.functional import interpolate

SIZE = 224


def read_table(table: Path, split: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """uint8 (image, channel, y, x), the index of each label, and the labels in their alphabetical order."""
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    labels = tuple(sorted({row["label"] for row in rows}))
    folder = rows[0]["file"].split("/")[0]
    rows = [row for row in rows if row["split"] == split and row["file"].split("/")[0] == folder]
    voxels = np.stack([levels(table.parent / row["file"]) for row in rows])
    return torch.from_numpy(voxels), torch.tensor([labels.index(row["label"]) for row in rows]), labels


def levels(path: Path) -> np.ndarray:
    """uint8 (channel, y, x): grey or RGB."""
    plane = pydicom.dcmread(path).pixel_array
    return np.ascontiguousarray(plane.transpose(2, 0, 1)) if plane.ndim == 3 else plane[None]


def shown(voxels: Tensor, size: int) -> Tensor:
    """Presentation values 0..1: float32, (image, channel, size, size)."""
    return interpolate(voxels.float() / 255, (size, size), mode="bilinear", antialias=True)

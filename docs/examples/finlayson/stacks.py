"""Stacks: many images of one label read from DICOM and laid one on the other, each slice an image.

As in the paper, images are brought to the size that the network reads before anything is done to them; so what is
attacked and judged are whole levels at that size.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from train import shown

from napari_medadv import Volume, decode, scan


@dataclass(frozen=True)
class Stack:
    """Images of one label: their files as the table names them, and a volume with one slice an image."""

    label: str
    files: tuple[str, ...]
    volume: Volume

    def parts(self, size: int) -> Iterator[tuple[int, Stack]]:
        """The stack in parts of at most ``size`` images, each with the place of its first."""
        for start in range(0, len(self.files), size):
            chosen = slice(start, start + size)
            volume = replace(self.volume, voxels=np.ascontiguousarray(self.volume.voxels[chosen]))
            yield start, Stack(self.label, self.files[chosen], volume)


def labels_of(table: Path) -> tuple[str, ...]:
    """The labels in their alphabetical order."""
    with table.open(newline="") as lines:
        return tuple(sorted({row["label"] for row in csv.DictReader(lines)}))


def read_stack(table: Path, split: str, label: str, limit: int, size: int) -> Stack:
    """At most ``limit`` images of a split and a label, in the table's order, from its first folder alone, at one size."""
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    folder = rows[0]["file"].split("/")[0]
    files = tuple(
        row["file"]
        for row in rows
        if row["split"] == split and row["label"] == label and row["file"].split("/")[0] == folder
    )[:limit]
    volumes = [decode(scan(table.parent / file)[0]) for file in files]
    first = volumes[0]
    for file, other in zip(files, volumes, strict=True):
        if (other.shape, other.window, other.photometric) != (first.shape, first.window, first.photometric):
            raise SystemExit(f"{file} differs from {files[0]} in size, window or photometric interpretation.")
    return Stack(label, files, resized(replace(first, voxels=np.concatenate([each.voxels for each in volumes])), size))


def resized(volume: Volume, size: int) -> Volume:
    """The volume with slices of ``size`` x ``size``, in whole levels; itself where they are."""
    before = volume.shape[1:3]
    if before == (size, size):
        return volume
    planes = volume.voxels if volume.colour else volume.voxels[..., None]
    values = shown(torch.from_numpy(planes.astype(np.float32)).permute(0, 3, 1, 2), size) * 255
    levels = values.round().clamp(0, 255).permute(0, 2, 3, 1).numpy().astype(volume.voxels.dtype)
    affine = volume.affine.copy()
    affine[:, 1:3] *= np.array(before) / size
    return replace(volume, voxels=np.ascontiguousarray(levels if volume.colour else levels[..., 0]), affine=affine)

"""Stacks: many images of one label read from DICOM and laid one on the other, each slice an image.

As in the paper, images are brought to the size that the network reads before anything is done to them. What is
attacked and judged are stored integers at that size: radiographs in 12 bits, since resizing gives values between the 8-bit
levels and radiography stores 12 or more, and photographs in 8 bits a channel, which is all that DICOM's colour has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from images import shown

from napari_medadv import Volume, decode, scan

STEPS = 16


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
    """The volume with slices of ``size`` x ``size``: grey in 16 steps a level, colour in whole levels."""
    before, steps = volume.shape[1:3], 1 if volume.colour else STEPS
    planes = volume.voxels if volume.colour else volume.voxels[..., None]
    values = shown(torch.from_numpy(planes.astype(np.float32)).permute(0, 3, 1, 2), size) * 255 * steps
    stored = values.round().clamp(0, 255 * steps).permute(0, 2, 3, 1).numpy()
    stored = stored.astype(volume.voxels.dtype if volume.colour else np.uint16)
    scale = replace(
        volume.scale,
        slope=volume.scale.slope / steps,
        lowest=volume.scale.lowest * steps,
        highest=volume.scale.highest * steps,
    )
    affine = volume.affine.copy()
    affine[:, 1:3] *= np.array(before) / size
    voxels = np.ascontiguousarray(stored if volume.colour else stored[..., 0])
    return replace(volume, voxels=voxels, scale=scale, affine=affine)

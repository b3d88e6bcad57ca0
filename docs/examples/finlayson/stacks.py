"""Stacks: many images of one label read from DICOM and laid one on the other, each slice an image."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

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


def read_stack(table: Path, split: str, label: str, limit: int) -> Stack:
    """At most ``limit`` images of a split and a label, in the table's order, from its first folder alone."""
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
    return Stack(label, files, replace(first, voxels=np.concatenate([volume.voxels for volume in volumes])))

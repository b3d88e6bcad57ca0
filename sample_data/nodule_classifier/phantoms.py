"""Slices of phantoms, and where in them a nodule lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_medadv.phantom import chest_ct

SHAPE, SPACING = (64, 256, 256), (4.0, 1.4, 1.4)
CELL = 8
"""Voxels along each side of one cell of the network's map."""
LEAST_RADIUS = 2.0
"""A slice counts as showing a nodule where the nodule's cross-section has at least this radius, mm."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Slices of some phantoms.

    Attributes
    ----------
    hu
        int16, (slice, y, x).
    cells
        float32, (slice, y, x) of the map: 1 where a nodule's centre lies, 0 elsewhere, -1 around it.
    shows
        bool, (slice,): whether a nodule is shown; `touches`: whether any part of one is in the slice.
    """

    hu: Tensor
    cells: Tensor
    shows: Tensor
    touches: Tensor


def phantom(seed: int, nodules: int | None) -> Slices:
    """The slices of one phantom."""
    voxels, placed = chest_ct(seed, SHAPE, SPACING, nodules=nodules)
    cells = np.zeros((SHAPE[0], SHAPE[1] // CELL, SHAPE[2] // CELL), np.float32)
    positions = np.arange(SHAPE[0]) * SPACING[0]
    shows, touches = np.zeros(SHAPE[0], bool), np.zeros(SHAPE[0], bool)
    for nodule in placed:
        chords = nodule.chord(positions)
        row, column = (nodule.centre[axis] / SPACING[axis] / CELL for axis in (1, 2))
        for index in np.flatnonzero(np.abs(positions - nodule.centre[0]) < nodule.radius + SPACING[0]):
            touches[index] = True
            around = np.s_[max(int(row) - 1, 0) : int(row) + 2, max(int(column) - 1, 0) : int(column) + 2]
            cells[index][around] = np.where(cells[index][around] == 1, 1, -1)
            if chords[index] >= LEAST_RADIUS:
                shows[index] = True
                cells[index, int(row), int(column)] = 1
    return Slices(torch.from_numpy(voxels), torch.from_numpy(cells), torch.from_numpy(shows), torch.from_numpy(touches))


def joined(parts: list[Slices]) -> Slices:
    """All slices of several phantoms."""
    return Slices(*(torch.cat([getattr(part, name) for part in parts]) for name in ("hu", "cells", "shows", "touches")))


def windowed(hu: Tensor) -> Tensor:
    """The card's lung window: center -600, width 1500, to 0..1; (slice, 1, y, x)."""
    return ((hu.float() + 1350.0) / 1500.0).clamp(0, 1).unsqueeze(1)

"""Shape: the outline of what is laid onto a radiograph: a disc, a square, a side marker, a lead."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Shape = Literal["disc", "square", "L", "R", "lead"]
"""A disc; a square; the letter of a side marker; a thin wire with an electrode at its end, as an ECG lead."""

_STROKE = 0.17
_WIRE = 0.05
_LETTERS: dict[Shape, tuple[tuple[float, float, float, float], ...]] = {
    "L": ((-0.5, -0.8, -0.5, 0.8), (-0.5, 0.8, 0.5, 0.8)),
    "R": ((-0.5, -0.8, -0.5, 0.8), (-0.5, -0.8, 0.1, -0.8), (-0.5, 0.0, 0.1, 0.0), (0.0, 0.0, 0.5, 0.8)),
}


def inside(across: Tensor, down: Tensor, shape: Shape) -> Tensor:
    """Which places lie in a shape: bool.

    Parameters
    ----------
    across, down
        Of the places, from the middle, as shares of half the size; to the right and downwards.
    shape
        Which one; it fills the square from -1 to 1, a letter and a lead only in part.
    """
    if shape == "disc":
        return across**2 + down**2 <= 1
    if shape == "square":
        return (across.abs() <= 1) & (down.abs() <= 1)
    if shape == "lead":
        wave = 0.25 * torch.sin(math.pi * across)
        slope = 0.25 * math.pi * torch.cos(math.pi * across)
        wire = (across.abs() <= 0.98) & ((down - wave).abs() <= _WIRE * (1 + slope**2).sqrt())
        return wire | ((across - 0.85) ** 2 + (down - 0.25 * math.sin(0.85 * math.pi)) ** 2 <= 0.15**2)
    found = torch.zeros_like(across, dtype=torch.bool)
    for left, top, right, bottom in _LETTERS[shape]:
        found |= _apart(across, down, left, top, right, bottom) <= _STROKE
    if shape == "R":
        radius = ((across - 0.1) ** 2 + (down + 0.4) ** 2).sqrt()
        found |= (across >= 0.1) & ((radius - 0.4).abs() <= _STROKE)
    return found


def _apart(across: Tensor, down: Tensor, left: float, top: float, right: float, bottom: float) -> Tensor:
    """How far places are from a straight stroke."""
    length = (right - left) ** 2 + (bottom - top) ** 2
    along = (((across - left) * (right - left) + (down - top) * (bottom - top)) / length).clamp(0, 1)
    return ((across - left - along * (right - left)) ** 2 + (down - top - along * (bottom - top)) ** 2).sqrt()

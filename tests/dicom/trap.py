"""Trap: a small series in which readers go wrong, with what is really there; and what such series are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_medadv.volume import Array, Floats
from tests.dicom.making import dataset, write


class Truth(NamedTuple):
    """Values (z, y, x) or (z, y, x, channel) in their unit, and the affine to LPS; None where the image has no place."""

    values: Array
    affine: Floats | None


@dataclass(frozen=True)
class Trap:
    """What is written, and what SimpleITK and highdicom are known to make of it: "right", "wrong" or "refuses"."""

    name: str
    make: Callable[[Path], tuple[Truth, ...] | str]
    itk: str
    highdicom: str


SHAPE = (16, 12)


def affine(step: Any = (0, 0, 2.5), start: Any = (-10, -20, 5), x: Any = (0.75, 0, 0), y: Any = (0, 0.5, 0)) -> Floats:
    found = np.eye(4)
    found[:3, 0], found[:3, 1], found[:3, 2], found[:3, 3] = step, y, x, start
    return found


def stored(index: int, dtype: str = "int16") -> Array:
    found: Array = (np.arange(16 * 12).reshape(SHAPE) + 100 * index).astype(dtype)
    return found


def stack(count: int, intercept: float = 0) -> Array:
    return np.stack([stored(index) for index in range(count)]) + intercept


def put(path: Path, count: int, modality: str = "CT", **changed: Any) -> None:
    """Slices in files whose names are in no order; `changed` may depend on the index."""
    for index in range(count):
        own = {key: value(index) if callable(value) else value for key, value in changed.items()}
        write(dataset(modality, index, **own), path / f"{(index * 7) % 11:02d}_{index}.dcm")

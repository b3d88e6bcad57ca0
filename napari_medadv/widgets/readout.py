"""Readout: what is said of the voxel under the cursor."""

from __future__ import annotations

import numpy as np

from napari_medadv.display import Outcome, patient_position
from napari_medadv.volume import Floats, Volume


def readout(volume: Volume, outcome: Outcome | None, place: Floats) -> str:
    """Value, and after an attack the adversarial value too, unit and patient position at an index (z, y, x); "" outside."""
    index = tuple(int(i) for i in np.rint(place))
    if not all(0 <= i < count for i, count in zip(index, volume.shape, strict=True)):
        return ""
    said = value_at(volume, index)
    if outcome is not None:
        said += f" → {value_at(outcome.perturbation.adversarial, index)}"
    unit = volume.scale.unit
    if volume.scale.table is not None:
        shown = [volume] if outcome is None else [volume, outcome.perturbation.adversarial]
        unit += f" ({' → '.join(f'{reading(each, index):g}' for each in shown)} {volume.scale.table.unit})"
    where = patient_position(volume, np.asarray(index, np.float64)) or f"row {index[1]}, column {index[2]}"
    return f"{said} {unit}   {where}"


def value_at(volume: Volume, index: tuple[int, ...]) -> str:
    """The value of one voxel in words, without its unit."""
    scale = volume.scale.take(np.array([index[0]]))
    stored = np.atleast_1d(volume.voxels[index])
    return ", ".join(f"{value * scale.slope[0] + scale.intercept[0]:g}" for value in stored)


def reading(volume: Volume, index: tuple[int, ...]) -> float:
    """What the modality lookup table says of one voxel, in the table's unit."""
    table = volume.scale.table
    return float("nan") if table is None else float(table(volume.voxels[index]))

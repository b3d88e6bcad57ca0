"""Intake: how the values of a volume become the unit that a classifier reads; differentiable, one row a batch entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import ModelError
from napari_medadv.model.curve import Curve, curve
from napari_medadv.volume import Array, Volume, Window

Unit = Literal["HU", "stored value", "level", "presentation value"]
UNITS: tuple[Unit, ...] = ("HU", "stored value", "level", "presentation value")


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """values -> values * gain + offset, then a lookup table, or, for a display unit, the window, inversion and range.

    Attributes
    ----------
    gain, offset
        float32, (batch,), or (1,) where they are those of every entry.
    same
        Whether every gain is 1 and every offset 0.
    window
        The display window, in the unit after gain and offset, or None where no display is meant.
    inverted
        Whether high is dark (MONOCHROME1).
    white
        What the classifier calls white: 1 for a presentation value, 255 for a level.
    table
        The curve of a lookup table: the file's modality table, or that of the window; None for none.
    """

    gain: Tensor
    offset: Tensor
    window: Window | None = None
    inverted: bool = False
    white: float = 1.0
    table: Curve | None = None
    same: bool = field(init=False)

    def __post_init__(self) -> None:
        same = bool((self.gain == 1).all()) and bool((self.offset == 0).all())
        object.__setattr__(self, "same", same)

    def __call__(self, values: Tensor) -> Tensor:
        """`values` (batch, channel, z, y, x) in the classifier's unit."""
        shape = (-1, *[1] * (values.ndim - 1))
        if not self.same:
            values = values * self.gain.view(shape) + self.offset.view(shape)
        if self.window is None:
            return values if self.table is None else self.table(values)
        grey = shown(values, self.window) if self.table is None else self.table(values)
        grey = 1 - grey if self.inverted else grey
        return grey if self.white == 1 else grey * self.white

    def take(self, entries: Tensor | slice) -> Intake:
        """The intake of the chosen batch entries."""
        if len(self.gain) == len(self.offset) == 1:
            return self
        return Intake(self.gain[entries], self.offset[entries], self.window, self.inverted, self.white, self.table)


def shown(values: Tensor, window: Window) -> Tensor:
    """Grey from 0 to 1 under a display window without a table (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if window.function == "SIGMOID":
        return torch.sigmoid(4 * (values - window.center) / window.width)
    low, high = window.limits
    if high == low:
        return (values > low).to(values)
    return ((values - low) / (high - low)).clamp(0, 1)


def intake(volume: Volume, unit: Unit, slices: Array, entries: int, device: torch.device) -> Intake:
    """How the chosen `slices` of `volume`, laid out as `entries` batch entries, reach `unit`.

    Raises
    ------
    ModelError
        The series does not carry that unit.
    """
    scale = volume.scale.take(slices)
    ones, zeros = torch.ones(1, device=device), torch.zeros(1, device=device)
    if unit == volume.scale.unit:
        return Intake(ones, zeros)
    if unit == "stored value":
        slope, offset = 1 / scale.slope, -scale.intercept / scale.slope
        if entries == 1 and len(np.unique(slope)) * len(np.unique(offset)) > 1:
            raise ModelError(
                "The classifier reads stored values of whole volumes, but the slices of this series differ in their rescale: read HU instead."
            )
        gain, shift = (
            torch.from_numpy(np.resize(part, entries).astype(np.float32)).to(device) for part in (slope, offset)
        )
        return Intake(gain, shift)
    if scale.table is not None and unit == scale.table.unit:
        return Intake(ones, zeros, table=curve(scale.table, device))
    if unit == "HU":
        held = scale.unit if scale.table is None else scale.table.unit
        raise ModelError(
            f"The classifier reads HU, but this series holds {held}: attach a CT, or correct `unit` in the card."
        )
    white = 1.0 if unit == "presentation value" else 255.0
    if volume.scale.unit == "level":
        return Intake(ones * (white / 255), zeros)
    window = volume.window
    found = None if window.table is None else curve(window.table, device)
    return Intake(ones, zeros, window, volume.photometric == "MONOCHROME1", white, found)

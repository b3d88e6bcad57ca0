"""Cube: an Linf budget as two bounds for each voxel, so that a step of an ascent costs few passes over the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from napari_medadv.attacks.grid import Grid
from napari_medadv.attacks.task import Task
from napari_medadv.threat.budget import Linf

_EXACT = 2**22
"""Whole numbers below this, and thousandths of them, are told apart in float32."""


class Hold(Protocol):
    """What keeps values within budget, region and storable range, and on the grid: a task, or something swifter."""

    def admit(self, values: Tensor) -> Tensor:
        """The nearest values within budget, region and storable range."""
        ...

    def stored(self, values: Tensor) -> Tensor:
        """The values as a file would give them back."""
        ...

    def rounded(self, values: Tensor) -> Tensor:
        """What is stored of values that are admitted; perhaps the very same tensor."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """The bounds of each voxel; what it admits and stores is what `Task.admit` and `Task.stored` do, but for the last bit.

    Attributes
    ----------
    clean
        float32, (batch, channel, z, y, x), in the unit of the volume.
    low, high
        The least and the greatest value of each voxel, of the same shape.
    levels
        How many whole grey levels each voxel may fall and rise, float32 of the same shape, and value per level and
        levels per value, float32, broadcastable to it; None where no file is meant.
    """

    clean: Tensor
    low: Tensor
    high: Tensor
    levels: tuple[Tensor, Tensor, Tensor, Tensor] | None

    def admit(self, values: Tensor) -> Tensor:
        """The nearest values within budget, region and storable range."""
        return values.clamp(self.low, self.high)

    def stored(self, values: Tensor) -> Tensor:
        """The values as a file would give them back: rounded to the nearest grey levels within the budget."""
        return self.rounded(self.admit(values) if self.levels is None else values)

    def rounded(self, values: Tensor) -> Tensor:
        """What is stored of values that are admitted."""
        if self.levels is None:
            return values
        fall, rise, slope, rate = self.levels
        change = (values - self.clean).mul_(rate)
        change = change.add_(change.sign(), alpha=0.5).trunc_().clamp_(fall, rise)
        return torch.addcmul(self.clean, change, slope)

    def take(self, entries: Tensor) -> Cube:
        """The bounds of the chosen entries."""
        kept = [_of(tensor, entries) for tensor in (self.clean, self.low, self.high)]
        levels = None
        if self.levels is not None:
            fall, rise, slope, rate = (_of(tensor, entries) for tensor in self.levels)
            levels = (fall, rise, slope, rate)
        return Cube(kept[0], kept[1], kept[2], levels)


def hold(task: Task) -> Hold:
    """A cube where the task's budget is Linf and float32 tells its grey levels apart; the task itself otherwise."""
    if type(task.budget) is not Linf:
        return task
    reach = task.budget.epsilon * task.grid.free
    low, high = torch.maximum(task.clean - reach, task.lowest), torch.minimum(task.clean + reach, task.highest)
    low, high = torch.minimum(low, task.clean), torch.maximum(high, task.clean)
    if not isinstance(task.grid, Grid):
        return Cube(task.clean, low, high, None)
    levels = _levels(task.grid, task.budget)
    return task if levels is None else Cube(task.clean, low, high, levels)


def kept(held: Hold, task: Task, entries: Tensor) -> Hold:
    """What holds the chosen entries of what was held; `task` is theirs."""
    return held.take(entries) if isinstance(held, Cube) else task


def _levels(grid: Grid, budget: Linf) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    if max(abs(grid.lowest), abs(grid.highest)) >= _EXACT:
        return None
    whole = torch.floor(budget.epsilon / grid.slope.abs() * (1 + 1e-9)).clamp_max(_EXACT).to(torch.int64)
    fall = torch.maximum(grid.lowest - grid.stored, -whole)
    rise = torch.minimum(grid.highest - grid.stored, whole)
    if grid.padding is not None:
        low, high = grid.padding
        over = (grid.stored > high) & (grid.stored + fall < low)
        under = (grid.stored < low) & (grid.stored + rise > high)
        if bool((grid.free & (over | under)).any()):
            return None  # the budget reaches over the padding to its other side
        fall = torch.where(grid.stored > high, torch.maximum(fall, high + 1 - grid.stored), fall)
        rise = torch.where(grid.stored < low, torch.minimum(rise, low - 1 - grid.stored), rise)
    fall, rise = (torch.where(grid.free, each, 0).to(torch.float32) for each in (fall, rise))
    return fall, rise, grid.slope.to(torch.float32), (1 / grid.slope).to(torch.float32)


def _of(tensor: Tensor, entries: Tensor) -> Tensor:
    return tensor[entries] if len(tensor) > 1 or len(entries) == 0 else tensor

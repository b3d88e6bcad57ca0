"""Smallest: the smallest stored change met so far that reaches the goal, for the attacks that look for it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task
from napari_medadv.threat.ball import FAR, largest, wide

SURE = 1e-3
"""A margin that survives another batch size or thread count, in logits."""

_STORED = 0.51
"""The least change that is stored, in grey levels."""


class Smallest:
    """The smallest successful stored values of each entry, as the threat's budget measures them.

    Attributes
    ----------
    task
        All entries.
    sure
        A margin above this is a success, in logits.
    values
        (batch, channel, z, y, x): the smallest; where none succeeded, those with the highest margin.
    size
        (batch,): the size of the change; infinite where none succeeded.
    """

    def __init__(self, task: Task, sure: float = SURE) -> None:
        self.task, self.sure = task, sure
        self.values = task.clean.clone()
        self.size = torch.full((len(task),), torch.inf, device=task.clean.device)
        self._margin = torch.full((len(task),), -torch.inf, device=task.clean.device)

    @property
    def found(self) -> Tensor:
        """Where one succeeded: bool, (batch,)."""
        return self.size.isfinite()

    def see(self, here: Tensor, margin: Tensor, entries: Tensor | None = None) -> Tensor:
        """Note stored values `here` of all entries, or of the chosen ones; which of these succeed: bool."""
        rows = torch.arange(len(self.values), device=here.device) if entries is None else entries
        success = margin > self.sure
        size = torch.where(success, self.task.budget.take(rows).size(here - self.task.clean[rows]), torch.inf)
        smaller = success & (size < self.size[rows])
        nearer = ~self.found[rows] & ~success & (margin > self._margin[rows])
        change = smaller | nearer
        self.values[rows[change]] = here[change]
        self.size[rows[smaller]] = size[smaller]
        self._margin[rows[change]] = margin[change]
        return success

    def lengthen(self, direction: Tensor, steps: int = 10) -> None:
        """Go along `direction`, further each time, where none succeeded: rounding to the grid may have lost it.

        A direction that the grid would lose altogether is first made so long that its largest change is stored.

        Parameters
        ----------
        direction
            (batch, channel, z, y, x): from the clean values.
        steps
            Queries at most, for each entry that failed.
        """
        scale, peak = 1.0, direction.flatten(1).abs().amax(dim=1).clamp_min(1e-30)
        direction = direction * wide((_STORED * self.task.grid.level / peak).clamp(1, FAR), direction)
        for _ in range(max(steps, 1)):
            rows = (~self.found).nonzero().flatten()
            if not len(rows):
                return
            task = self.task.take(rows)
            here = task.nearest(task.allow(task.clean + scale * direction[rows]))
            self.see(here, task.margin(here), rows)
            scale *= 1.3

    def halve(self, towards: Tensor, steps: int) -> None:
        """Look between `towards` (the clean image, say) and the smallest for a smaller one, by halving the way.

        Parameters
        ----------
        towards
            (batch, channel, z, y, x): values that fail.
        steps
            Queries for each entry that succeeded.
        """
        rows = self.found.nonzero().flatten()
        if not len(rows):
            return
        task, far, near = self.task.take(rows), self.values[rows].clone(), towards[rows]
        low, high = (torch.full((len(rows), 1, 1, 1, 1), end, device=far.device) for end in (0.0, 1.0))
        for _ in range(steps):
            middle = (low + high) / 2
            here = task.nearest(near + middle * (far - near))
            success = self.see(here, task.margin(here), rows).view(-1, 1, 1, 1, 1)
            low, high = torch.where(success, low, middle), torch.where(success, middle, high)

    def refine(self, steps: int) -> None:
        """Shrink what was found: towards the clean image, or, where voxels are counted, by sparing the smallest changes.

        Parameters
        ----------
        steps
            Queries for each entry that succeeded.
        """
        if self.task.budget.norm != "L0":
            self.halve(self.task.clean, steps)
            return
        rows = self.found.nonzero().flatten()
        if not len(rows):
            return
        task = self.task.take(rows)
        delta = self.values[rows] - task.clean
        low, high = torch.zeros_like(self.size[rows]), self.size[rows].clone()
        for _ in range(steps):
            middle = ((low + high) / 2).floor()
            here = task.clean + delta * largest(delta, middle)
            success = self.see(here, task.margin(here), rows)
            low, high = torch.where(success, low, middle), torch.where(success, middle, high)


def cosine(first: float, last: float, count: int, steps: int) -> float:
    """From `first` to `last` along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * count / max(steps - 1, 1))) / 2


def along(task: Task, direction: Tensor, steps: int = 10) -> Smallest:
    """The smallest stored change along `direction`, (batch, channel, z, y, x), lengthened until it succeeds."""
    smallest = Smallest(task)
    smallest.lengthen(direction, steps)
    smallest.halve(task.clean, steps)
    return smallest

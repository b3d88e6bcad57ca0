"""Smallest: the smallest stored change met so far that reaches the goal, for the attacks that look for it."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task

SURE = 1e-3
"""A margin that survives another batch size or thread count, in logits."""


class Smallest:
    """The smallest successful stored values of each entry, as the threat's budget measures them.

    Attributes
    ----------
    values
        (batch, channel, z, y, x): the smallest; where none succeeded, those with the highest margin.
    size
        (batch,): the size of the change; infinite where none succeeded.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
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
        success = margin > SURE
        size = torch.where(success, self.task.budget.take(rows).size(here - self.task.clean[rows]), torch.inf)
        smaller = success & (size < self.size[rows])
        nearer = ~self.found[rows] & ~success & (margin > self._margin[rows])
        change = smaller | nearer
        self.values[rows[change]] = here[change]
        self.size[rows[smaller]] = size[smaller]
        self._margin[rows[change]] = margin[change]
        return success

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


def along(task: Task, direction: Tensor, steps: int = 10) -> Smallest:
    """The smallest stored change along `direction`, (batch, channel, z, y, x), first lengthened until it succeeds."""
    smallest = Smallest(task)
    scale = torch.ones((len(task), 1, 1, 1, 1), device=direction.device)
    for _ in range(steps):
        here = task.nearest(task.allow(task.clean + scale * direction))
        success = smallest.see(here, task.margin(here))
        if bool(success.all()):
            break
        scale = torch.where(success.view(-1, 1, 1, 1, 1), scale, scale * 1.3)
    smallest.halve(task.clean, steps)
    return smallest

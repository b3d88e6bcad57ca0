"""Best: the worst case met so far, as stored, and which entries still stand; fooled entries leave the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.rising import DOUBT
from napari_medadv.attacks.task import Task
from napari_medadv.threat.ball import wide


class Best:
    """The best stored values of each entry of a task.

    Attributes
    ----------
    task
        All entries.
    values, margin
        The best stored values, (batch, channel, z, y, x), and their margin, (batch,).
    confidence
        An entry rests once its margin exceeds this, in logits; `inf` lets none rest.
    rough
        Whether margins are taken as bfloat16 found them, until `confirm`.
    active, part
        The entries that still stand (indices), and the task of these alone.
    """

    def __init__(self, task: Task, confidence: float, *, rough: bool = False) -> None:
        self.task = task
        self.rough = rough
        self.values = task.clean.clone()
        self.margin = torch.full((len(task),), -torch.inf, device=task.clean.device)
        self.confidence = confidence
        self.active = torch.arange(len(task), device=task.clean.device)
        self.part = task

    def see(self, here: Tensor, margin: Tensor) -> Tensor | None:
        """Note the margin of the standing entries at stored values `here`.

        Returns
        -------
        Tensor or None
            The places, among those that stood, of those that stand on; None when all do.
        """
        if len(self.active) == len(self.values):
            better = margin > self.margin
            self.values.lerp_(here, wide(better.to(here), here))  # exact at weights 0 and 1
            self.margin = torch.fmax(margin, self.margin)
        else:
            better = margin > self.margin[self.active]
            self.values[self.active[better]] = here[better]
            self.margin[self.active[better]] = margin[better]
        return self.rest()

    def rest(self) -> Tensor | None:
        """Let the entries rest whose margin is enough; what is returned is what `see` returns."""
        if self.confidence == torch.inf:
            return None
        stand = self.margin[self.active] <= self.confidence
        if bool(stand.all()):
            return None
        keep = stand.nonzero().flatten()
        self.active, self.part = self.active[keep], self.part.take(keep)
        return keep

    def confirm(self) -> None:
        """Ask in float32 for the best margins that are in doubt; from now on none is taken as bfloat16 found it."""
        self.rough = False
        places = (self.margin.abs() <= DOUBT).nonzero().flatten()
        if len(places):
            self.margin[places] = self.task.take(places).margin(self.values[places])

    @property
    def done(self) -> bool:
        """Whether no entry stands."""
        return not len(self.active)

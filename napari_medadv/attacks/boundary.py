"""Boundary attack, Brendel, Rauber and Bethge 2017, https://arxiv.org/abs/1712.04248."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.outset import Decisions, outset
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class Boundary:
    """A walk along the boundary: a random step around the clean image, then a step towards it.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    around, towards
        Length of the two steps at first, as a share of the distance; both adapt.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "decision"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2",)

    queries: int = 2000
    around: float = 0.1
    towards: float = 0.05

    def __post_init__(self) -> None:
        if self.queries < 30 or not (self.around > 0 and self.towards > 0):
            raise AttackError(
                f"The boundary attack needs at least 30 queries to find its start, and {self.queries} were given."
            )

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        decisions = Decisions(task, self.queries)
        values, found = outset(decisions)
        if not bool(found.any()):
            return decisions.smallest.values
        values = decisions.halve(task.clean, values, 8)
        around, towards = (
            torch.full((len(task),), share, device=values.device) for share in (self.around, self.towards)
        )
        while decisions.left >= 2:
            back = task.clean - values
            distance = ball.size(back, "L2").clamp_min(1e-30)
            noise = draw.normal(tuple(values.shape), task.rng, values) * task.grid.free
            unit = back / ball.wide(distance, back)
            noise = noise - ball.wide((noise * unit).flatten(1).sum(dim=1), noise) * unit
            noise = noise / ball.wide(ball.size(noise, "L2").clamp_min(1e-30), noise)
            side = values + ball.wide(around * distance, noise) * noise - task.clean
            side = task.clean + side * ball.wide(distance / ball.size(side, "L2").clamp_min(1e-30), side)
            beside = decisions.ask(side)
            nearer = side + ball.wide(towards, side) * (task.clean - side)
            success = decisions.ask(nearer)
            values = torch.where(ball.wide(beside, values), side, values)
            values = torch.where(ball.wide(success, values), nearer, values)
            around = (around * torch.where(beside, 1.1, 0.9)).clamp(1e-4, 1.0)
            towards = (towards * torch.where(success, 1.1, torch.where(beside, 0.9, 1.0))).clamp(1e-5, 0.5)
        return decisions.smallest.values

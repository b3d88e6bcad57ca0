"""Carlini and Wagner's L2 attack (C&W), 2016, https://arxiv.org/abs/1608.04644."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class CW:
    """Squared change plus a weight times the missing margin; the weight is found by halving.

    The change of variable of the paper is left out: the storable range is no [0, 1], values are clipped to it.

    Attributes
    ----------
    rounds
        How many weights are tried.
    steps
        Steps for each.
    rate
        Learning rate, as a share of the contrast of the image.
    weight
        The first weight.
    confidence
        The margin that is sought, in logits.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2",)

    rounds: int = 6
    steps: int = 100
    rate: float = 0.01
    weight: float = 1.0
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if min(self.rounds, self.steps) < 1 or not (self.rate > 0 and self.weight > 0):
            raise AttackError("C&W takes rounds and steps >= 1, rate and weight > 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        sure = max(self.confidence, SURE)
        smallest = Smallest(task, sure)
        weight = torch.full((len(task),), self.weight, device=task.clean.device)
        low, high = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
        for turn in range(self.rounds):
            delta, adam = torch.zeros_like(task.clean), Adam(task.clean)
            reached = torch.zeros_like(weight, dtype=torch.bool)
            for count in range(self.steps):
                task.report(turn * self.steps + count, self.rounds * self.steps)
                here = task.nearest(task.clean + task.contrast * delta)
                margin, gradient = task.gradient(here, "margin")
                reached |= smallest.see(here, margin)
                push = ball.wide(weight * (margin <= sure), delta) * gradient * task.contrast
                delta = delta + self.rate * adam.step(push - 2 * delta)
                delta = (task.allow(task.clean + task.contrast * delta) - task.clean) / task.contrast
            high, low = torch.where(reached, weight, high), torch.where(reached, low, weight)
            weight = torch.where(high.isfinite(), (low + high) / 2, low * 10)
        smallest.refine(8)
        return smallest.values

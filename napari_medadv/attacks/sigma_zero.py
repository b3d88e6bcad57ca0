"""Sigma-zero, Cina et al. 2024, https://arxiv.org/abs/2402.01879."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.smallest import SURE, Smallest, cosine
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class SigmaZero:
    """Few voxels by a smooth count of them, whose small changes are cut to nothing at each step.

    Attributes
    ----------
    steps
        How many.
    rate
        Learning rate, as a share of the contrast of the image.
    sharpness
        How near the smooth count is to the true one: the smaller the nearer.
    cut
        Below which share of the contrast a change is nothing, at first.
    cut_change
        How fast that changes.
    refine
        Queries at the end that spare what voxels they can.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    steps: int = 300
    rate: float = 1.0
    sharpness: float = 1e-3
    cut: float = 0.3
    cut_change: float = 0.01
    refine: int = 8

    def __post_init__(self) -> None:
        if self.steps < 1 or not (self.rate > 0 and self.sharpness > 0 and self.cut > 0) or self.refine < 0:
            raise AttackError("Sigma-zero takes steps >= 1, rate, sharpness and cut > 0, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The stored values with the fewest changed voxels that reach the goal."""
        smallest = Smallest(task)
        delta, adam = torch.zeros_like(task.clean), Adam(task.clean)
        cut = torch.full((len(task), 1, 1, 1, 1), self.cut, device=delta.device)
        voxels = delta[0, 0].numel()
        for count in range(self.steps):
            task.report(count, self.steps)
            rate = cosine(self.rate, self.rate / 10, count, self.steps)
            here = task.nearest(task.clean + task.contrast * delta)
            margin, gradient = task.gradient(here, "margin")
            success = smallest.see(here, margin)
            power = delta.square().sum(dim=1, keepdim=True)
            counted = 2 * delta * self.sharpness / (power + self.sharpness).square() / voxels
            uphill = gradient * task.contrast * ball.wide(margin <= SURE, delta) - counted
            uphill = uphill / ball.wide(ball.size(uphill, "Linf"), delta).clamp_min(1e-30)
            delta = delta + rate * adam.step(uphill)
            delta = (task.allow(task.clean + task.contrast * delta) - task.clean) / task.contrast
            sign = ball.wide(torch.where(success, 1.0, -1.0), delta)
            cut = (cut + sign * self.cut_change * rate).clamp(0, 1)
            delta = delta * (delta.square().sum(dim=1, keepdim=True).sqrt() >= cut)
        smallest.refine(self.refine)
        return smallest.values

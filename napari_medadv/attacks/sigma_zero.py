"""Sigma-zero, Cina et al. 2024, https://arxiv.org/abs/2402.01879."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.smallest import SURE, Smallest, cosine
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.goal import known


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
        How fast that changes; so many times as fast as there are ways, each of which has a share of the steps.
    refine
        Queries at the end that spare what voxels they can.
    targets
        How many ways of reaching the goal are tried, each from the clean image, the nearest first; they share the
        steps. With 1 each step goes the way that is nearest there, as published (with a rate of 1 and a change of 0.01).
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    steps: int = 300
    rate: float = 2.0
    sharpness: float = 1e-3
    cut: float = 0.3
    cut_change: float = 0.015
    refine: int = 8
    targets: int = 3

    def __post_init__(self) -> None:
        positive = self.rate > 0 and self.sharpness > 0 and self.cut > 0
        if min(self.steps, self.targets) < 1 or not positive or self.refine < 0:
            raise AttackError("Sigma-zero takes steps and targets >= 1, rate, sharpness and cut > 0, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The stored values with the fewest changed voxels that reach the goal."""
        smallest, routes, done = Smallest(task), self._routes(task), 0
        for rank, route in enumerate(routes):
            steps = (self.steps - done) // (len(routes) - rank)
            self._run(task, smallest, route, done, steps, self.cut_change * len(routes))
            done += steps
        smallest.refine(self.refine)
        return smallest.values

    def _routes(self, task: Task) -> list[Loss | Tensor]:
        """What is climbed in turn: the margin, or one way after the other."""
        if self.targets == 1:
            return ["margin"]
        heights, order = task.ways(task.clean).sort(dim=1, descending=True)
        count = min(self.targets, known(heights), self.steps)
        return ["margin"] if count < 2 else list(order[:, :count].unbind(dim=1))

    def _run(
        self, task: Task, smallest: Smallest, route: Loss | Tensor, done: int, steps: int, cut_change: float
    ) -> None:
        """Steps from the clean image."""
        delta, adam = torch.zeros_like(task.clean), Adam(task.clean)
        cut = torch.full((len(task), 1, 1, 1, 1), self.cut, device=delta.device)
        voxels = delta[0, 0].numel()
        for count in range(steps):
            task.report(done + count, self.steps)
            rate = cosine(self.rate, self.rate / 10, count, steps)
            here = task.nearest(task.clean + task.contrast * delta)
            margin, gradient = task.gradient(here, route)
            success = smallest.see(here, margin)
            power = delta.square().sum(dim=1, keepdim=True)
            counted = 2 * delta * self.sharpness / (power + self.sharpness).square() / voxels
            uphill = gradient * task.contrast * ball.wide(margin <= SURE, delta) - counted
            uphill = uphill / ball.wide(ball.size(uphill, "Linf"), delta).clamp_min(1e-30)
            delta = delta + rate * adam.step(uphill)
            delta = (task.allow(task.clean + task.contrast * delta) - task.clean) / task.contrast
            sign = ball.wide(torch.where(success, 1.0, -1.0), delta)
            cut = (cut + sign * cut_change * rate).clamp(0, 1)
            delta = delta * (delta.square().sum(dim=1, keepdim=True).sqrt() >= cut)

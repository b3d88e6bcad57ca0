"""Primal-dual proximal gradient descent (PDPGD), Matyasko and Chau 2021, https://arxiv.org/abs/2106.01538."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.smallest import Smallest, cosine
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.ball import Norm


@dataclass(frozen=True, slots=True)
class PDPGD:
    """The change climbs the log-odds of the goal and is shrunk by the norm's proximal step; a dual weight balances the two.

    The weight of the norm is raised by a share while the goal is reached and lowered while it is not. Where every voxel
    counts the same, in Linf and L0, the steps are Adam's; in L0 the proximal step has Adam's length too, voxel by voxel.

    Attributes
    ----------
    steps
        How many.
    rate
        Learning rate, as a share of the contrast of the image.
    dual_rate
        By what share the weight changes at each step, at first.
    refine
        Queries at the end that shrink what was found.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L1", "L2", "Linf", "L0")

    steps: int = 500
    rate: float = 2.0
    dual_rate: float = 0.1
    refine: int = 8

    def __post_init__(self) -> None:
        if self.steps < 1 or not (self.rate > 0 and self.dual_rate > 0) or self.refine < 0:
            raise AttackError("PDPGD takes steps >= 1, rate and dual_rate > 0, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        norm, smallest = task.budget.norm, Smallest(task)
        delta = torch.zeros_like(task.clean)
        even = norm in ("Linf", "L0")
        adam, first = Adam(delta), 0.1 * delta[0].numel() if norm == "Linf" else 1e-2
        weight = torch.full((len(task),), first, device=delta.device)
        for count in range(self.steps):
            task.report(count, self.steps)
            share = 0.01 ** (count / self.steps)
            rate = self.rate * share if norm == "Linf" else cosine(self.rate, self.rate / 100, count, self.steps)
            here = task.nearest(task.clean + task.contrast * delta)
            margin, gradient = task.gradient(here, "cross-entropy")
            success = smallest.see(here, margin)
            uphill = gradient / ball.wide(ball.size(gradient, "L2"), delta).clamp_min(1e-30)
            moved = delta + rate * (adam.step(uphill) if even else uphill)
            weights = (
                weight * rate if norm != "L0" else ball.wide(weight, delta) * rate / adam.size.mean(1, keepdim=True)
            )
            delta = proximal(moved, norm, weights)
            delta = (task.allow(task.clean + task.contrast * delta) - task.clean) / task.contrast
            change = 1 + cosine(self.dual_rate, self.dual_rate / 10, count, self.steps)
            weight = weight * torch.where(success, change, 1 / change)
        smallest.refine(self.refine)
        return smallest.values


def proximal(delta: Tensor, norm: Norm, weight: Tensor) -> Tensor:
    """What minimises half the squared distance to `delta` plus `weight`, (batch,), times its norm.

    In L0 each voxel may have a weight of its own, (batch, 1, z, y, x).
    """
    if norm == "L1":
        return delta.sign() * (delta.abs() - ball.wide(weight, delta)).clamp_min(0)
    if norm == "L2":
        return delta * (1 - ball.wide(weight / ball.size(delta, "L2").clamp_min(1e-30), delta)).clamp_min(0)
    if norm == "Linf":
        return delta - ball.project(delta, "L1", weight)
    power = delta.square().sum(dim=1, keepdim=True)
    return delta * (power > 2 * (ball.wide(weight, delta) if weight.ndim == 1 else weight))

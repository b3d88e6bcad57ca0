"""Fast minimum norm (FMN), Pintor et al. 2021, https://arxiv.org/abs/2102.12827."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.smallest import Smallest, cosine
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.threat import ball
from napari_medadv.threat.ball import FAR, Norm

_PACES = (1.0, 0.3, 3.0)


@dataclass(frozen=True, slots=True)
class FMN:
    """A ball that shrinks while the goal is reached and grows while it is not; the change follows the gradient in it.

    Attributes
    ----------
    steps
        How many.
    step
        Length of the first step: a share of the contrast for L2 and L1, five times the ball for Linf. Under L0 the voxel
        that matters most goes as far, and the steps are three legs, each from the clean image, of 1, 0.3 and 3 times that.
    shrink
        By what share the ball changes at first.
    refine
        Queries at the end that shrink what was found.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1", "L0")

    steps: int = 100
    step: float = 1.0
    shrink: float = 0.05
    refine: int = 8
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.step > 0 or not 0 < self.shrink < 1 or self.refine < 0:
            raise AttackError("FMN takes steps >= 1, step > 0, shrink between 0 and 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest, norm = Smallest(task), task.budget.norm
        paces = _PACES if norm == "L0" and self.steps >= len(_PACES) else (1.0,)
        done = 0
        for leg, pace in enumerate(paces):
            count = (self.steps - done) // (len(paces) - leg)
            delta = self._leg(task, smallest, self.step * pace, done, count)
            done += count
        smallest.lengthen(delta)
        smallest.refine(self.refine)
        return smallest.values

    def _leg(self, task: Task, smallest: Smallest, length: float, done: int, steps: int) -> Tensor:
        """Steps from the clean image, the first of this length; the last change."""
        norm, delta = task.budget.norm, torch.zeros_like(task.clean)
        radius = torch.full((len(task),), 1.0 if norm == "L0" else torch.inf, device=delta.device)
        if norm == "L0":
            radius = torch.where(smallest.found, (smallest.size - 1).clamp_min(1), radius)
        for count in range(steps):
            task.report(done + count, self.steps)
            step, shrink = (
                cosine(length, length / 100, count, steps),
                cosine(self.shrink, self.shrink / 50, count, steps),
            )
            here = task.nearest(task.clean + delta)
            margin, gradient = task.gradient(here, "margin", arithmetic=self.arithmetic)
            success = smallest.see(here, margin)
            if norm == "L0":
                less = torch.minimum(radius - 1, (radius * (1 - shrink)).floor()).clamp_min(1)
                more = torch.maximum(radius + 1, (radius * (1 + shrink)).floor())
            else:
                to_boundary = ball.size(delta, norm) + (margin.abs() / ball.dual(gradient, norm)).clamp_max(FAR)
                less = torch.minimum(radius, ball.size(delta, norm)) * (1 - shrink)
                more = torch.where(smallest.found, radius * (1 + shrink), to_boundary)
            radius = torch.where(success, torch.minimum(less, smallest.size), more)
            if norm == "Linf":
                move = ball.wide(radius, delta) * _levelled(gradient, "L2")
                move = 5 * move * gradient[0].numel() ** 0.5
            else:
                move = task.contrast * _levelled(gradient, "Linf" if norm == "L0" else "L2")
            if norm == "L0":
                delta = ball.project(task.allow(task.clean + delta + step * move) - task.clean, norm, radius)
                continue
            delta = ball.project(delta + step * move, norm, radius)
            delta = task.allow(task.clean + delta) - task.clean
        return delta


def _levelled(gradient: Tensor, norm: Norm) -> Tensor:
    """The gradient of each entry at size one."""
    return gradient / ball.wide(ball.size(gradient, norm), gradient).clamp_min(1e-30)

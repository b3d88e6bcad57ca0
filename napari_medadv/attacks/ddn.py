"""Decoupled direction and norm (DDN), Rony et al. 2018, https://arxiv.org/abs/1811.09600."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.smallest import Smallest, cosine
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.ball import FAR


@dataclass(frozen=True, slots=True)
class DDN:
    """The direction follows the gradient; the length grows while the goal is missed and shrinks while it is reached.

    Attributes
    ----------
    steps
        How many.
    step
        Length of the first step, as a share of the contrast of the image.
    change
        By what share the length changes.
    refine
        Queries at the end that shrink what was found.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2",)

    steps: int = 100
    step: float = 1.0
    change: float = 0.05
    refine: int = 8

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.step > 0 or not 0 < self.change < 1 or self.refine < 0:
            raise AttackError("DDN takes steps >= 1, step > 0, change between 0 and 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest = Smallest(task)
        delta, length = torch.zeros_like(task.clean), None
        for count in range(self.steps):
            task.report(count, self.steps)
            here = task.nearest(task.clean + delta)
            margin, gradient = task.gradient(here, "cross-entropy" if count else "margin")
            success = smallest.see(here, margin)
            if length is None:
                least = float(task.contrast.min()) * 1e-6
                length = 2 * (margin.abs() / ball.dual(gradient, "L2")).clamp(least, FAR) / (1 + self.change)
                gradient = _first(task.gradient(here, "cross-entropy")[1], gradient)
            length = length * torch.where(success, 1 - self.change, 1 + self.change)
            norms = ball.wide(ball.size(gradient, "L2"), delta).clamp_min(1e-30)
            delta = delta + cosine(self.step, self.step / 100, count, self.steps) * task.contrast * gradient / norms
            delta = delta * ball.wide((length / ball.size(delta, "L2").clamp_min(1e-30)).clamp_max(FAR), delta)
            delta = task.allow(task.clean + delta) - task.clean
        smallest.lengthen(delta)
        smallest.refine(self.refine)
        return smallest.values


def _first(all_labels: Tensor, nearest: Tensor) -> Tensor:
    """Begin towards all labels (the cross-entropy): the way to the nearest ends longer, and serves where they give no gradient."""
    return torch.where(ball.wide(ball.size(all_labels, "L2") > 0, nearest), all_labels, nearest)

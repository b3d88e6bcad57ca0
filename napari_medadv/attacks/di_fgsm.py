"""Diverse inputs (DI-FGSM), Xie et al. 2018, https://arxiv.org/abs/1803.06978."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Momentum, climb, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class DIFGSM:
    """MI-FGSM whose gradients are taken at a randomly shrunken and shifted picture.

    Attributes
    ----------
    steps, step, decay, confidence, loss
        As for `mi_fgsm`.
    smallest
        The least share of the side that the picture is shrunken to.
    share
        How often it is: 1 is always.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 10
    step: float = 0.2
    decay: float = 1.0
    smallest: float = 0.85
    share: float = 0.7
    confidence: float = float("inf")
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)
        if not 0 < self.smallest <= 1:
            raise AttackError(f"DI-FGSM shrinks to a share above 0 and at most 1 of the side, not {self.smallest:g}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        rule = Momentum(self.decay, self.look)
        climb(best, task.clean, rule, (torch.zeros_like(task.clean),), steps=self.steps, step=self.step)
        return best.values

    def look(self, task: Task, here: Tensor) -> tuple[Tensor, Tensor]:
        """The true margin, and the gradient at the shrunken picture."""
        size, place, chance = (float(draw) for draw in torch.rand(3, generator=task.rng))
        if chance >= self.share:
            return task.gradient(here, self.loss)

        def through(values: Tensor) -> Tensor:
            return shrunk(values, self.smallest + (1 - self.smallest) * size, place)

        _, _, gradient = task.ascent(here, self.loss, through)
        return task.margin(here), gradient


def shrunk(values: Tensor, size: float, place: float) -> Tensor:
    """The picture at a share `size` of its side, set at the share `place` of the room left; the rest is its least value.

    Parameters
    ----------
    values
        float32, (batch, channel, z, y, x); only y and x shrink.
    size, place
        From 0 to 1.
    """
    batch, channel, z, y, x = values.shape
    floor = values.detach().flatten(1).amin(dim=1).view(-1, 1, 1, 1)
    less = (max(1, round(y * size)), max(1, round(x * size)))
    small = interpolate(values.reshape(batch, channel * z, y, x) - floor, less, mode="bilinear")
    top, left = round((y - less[0]) * place), round((x - less[1]) * (1 - place))
    framed = pad(small, (left, x - less[1] - left, top, y - less[0] - top)) + floor
    return framed.view(batch, channel, z, y, x)

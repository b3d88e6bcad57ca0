"""Noise-shaped attack, after Croce and Hein 2019, https://arxiv.org/abs/1909.05040: each voxel stays below the noise around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.smooth import smooth
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class NoiseShaped:
    """PGD in a box that is as wide at each voxel as the image varies around it, and never wider than the budget.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of each voxel's box.
    times
        The box in standard deviations of the local noise.
    sigma
        Width of the neighbourhood, in voxels.
    confidence
        An entry rests once its margin exceeds this, in logits.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    steps: int = 40
    step: float = 0.2
    times: float = 1.0
    sigma: float = 2.0
    confidence: float = 0.05
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best, values = Best(task, self.confidence), task.clean
        box = self.times * local_noise(task.clean, self.sigma)
        for count in range(self.steps + 1):
            part = best.part
            part.report(count, self.steps + 1)
            here = part.stored(values)
            if count == self.steps:
                best.see(here, part.margin(here))
                break
            margin, gradient = part.gradient(here, self.loss)
            delta = values + self.step * box * gradient.sign() - part.clean
            values = part.admit(part.clean + torch.minimum(torch.maximum(delta, -box), box))
            keep = best.see(here, margin)
            if best.done:
                break
            values, box = (values, box) if keep is None else (values[keep], box[keep])
        return best.values


def local_noise(values: Tensor, sigma: float) -> Tensor:
    """The standard deviation around each voxel, of the shape of `values`, after the local mean is taken off."""
    width = (0.0, sigma, sigma)
    weight = smooth(torch.ones_like(values[:1, :1]), width)
    residual = values - smooth(values, width) / weight
    return (smooth(residual.square(), width) / weight).clamp_min(0).sqrt()

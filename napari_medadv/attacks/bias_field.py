"""Adversarial bias field, Tian et al. 2020, https://arxiv.org/abs/2009.09247: gain that drifts smoothly over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_medadv.attacks.capture import Course, Learned, captured, draws_given
from napari_medadv.attacks.climb import steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Aim, Knowledge, Task


@dataclass(frozen=True, slots=True)
class BiasField:
    """A field of a few control points across the image, as a detector's or a coil's sensitivity would give.

    Attributes
    ----------
    steps
        How many.
    step
        Learning rate of the control points, which go from -1 to 1.
    points
        Control points along each side.
    kind
        "gain" grows with the value above the image's least one; "offset" is the same everywhere.
    confidence
        An entry rests once all its margins exceed this, in logits.
    loss
        What is climbed.
    draws
        Acquisitions looked at in each step; 0 for the image as it is alone.
    noise, motion, degrees, rewindow, rounding
        What an acquisition changes: see `Retake`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    steps: int = 40
    step: float = 0.2
    points: int = 6
    kind: Literal["gain", "offset"] = "gain"
    confidence: float = 1.0
    loss: Loss = "cross-entropy"
    draws: int = 4
    noise: float = 0.005
    motion: float = 1.0
    degrees: float = 1.0
    rewindow: float = 0.02
    rounding: float = 1.0

    def __post_init__(self) -> None:
        steps_given(self)
        Retake.as_set(self)
        draws_given(self.draws)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        coarse = [min(self.points, length) for length in task.clean.shape[2:]]
        start = torch.zeros((len(task), 1, *coarse), device=task.clean.device)
        course = Course(self.steps, self.confidence, self.loss, self.draws)
        return captured(task, start, self, Learned(start, self.step), course, Retake.as_set(self))

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The field of these control points, times the image where it is a gain."""
        shape = tuple(task.clean.shape[2:])
        field = interpolate(torch.tanh(turned), shape, mode="trilinear", align_corners=True)
        if self.kind == "offset":
            return task.budget.epsilon * field.expand_as(task.clean)
        floor = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        return task.budget.epsilon * field * (task.clean - floor) / task.contrast

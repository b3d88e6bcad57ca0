"""Gain and gamma, after the exposure attack of Cheng et al. 2020, https://arxiv.org/abs/2009.09231: one curve for all grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Course, Learned, captured, draws_given, fitting
from napari_medadv.attacks.climb import steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Aim, Knowledge, Task


@dataclass(frozen=True, slots=True)
class GainGamma:
    """Exposure, offset and gamma of the whole image (of each channel), as a detector or its processing would turn them.

    Where the curve would change a voxel by more than the budget, all of it is made fainter.

    Attributes
    ----------
    steps
        How many.
    step
        Learning rate; each of the three goes from -1 to 1.
    gain, gamma
        How far gain and offset may go, as shares of the contrast, and gamma, as a share of one, to either side.
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
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    steps: int = 40
    step: float = 0.2
    gain: float = 0.3
    gamma: float = 0.5
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
        start = torch.zeros((len(task), 3, task.clean.shape[1]), device=task.clean.device)
        course = Course(self.steps, self.confidence, self.loss, self.draws)
        return captured(task, start, self, Learned(start, self.step), course, Retake.as_set(self))

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The image under another curve, less the image."""
        exposure, offset, bend = torch.tanh(turned)[..., None, None, None].unbind(dim=1)
        floor = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        share = ((task.clean - floor) / task.contrast).clamp_min(1e-6)
        power = torch.exp(bend * torch.log1p(torch.tensor(self.gamma, device=bend.device)))
        return fitting(task, task.contrast * (share**power * (1 + self.gain * exposure) + self.gain * offset - share))

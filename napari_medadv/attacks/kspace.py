"""MR k-space perturbation, after Morshuis et al. 2022, https://arxiv.org/abs/2208.03161: the raw data of each slice is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Carried, Course, captured, draws_given, fitting
from napari_medadv.attacks.climb import steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Aim, Knowledge, Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class KSpace:
    """Complex numbers added to the k-space of each slice, whose magnitude image is then what is stored.

    The slice is taken as a magnitude image of phase zero; where values fall below zero, no signal is the least that can be stored.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of epsilon.
    band
        Which frequencies are changed: those below this share of the highest along each axis.
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
    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    steps: int = 40
    step: float = 0.1
    band: float = 0.5
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
        if not 0 < self.band <= 1:
            raise AttackError(f"KSpace takes a band above 0 and up to 1, not {self.band:g}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        start = torch.zeros((*task.clean.shape, 2), device=task.clean.device)
        course = Course(self.steps, self.confidence, self.loss, self.draws)
        return captured(task, start, self, Carried(self._raw, task.clean, self.step), course, Retake.as_set(self))

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The magnitude image of the changed k-space, less the image."""
        darkest = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        image = task.clean - torch.where(darkest >= 0, torch.zeros_like(darkest), task.lowest)
        change = torch.fft.ifft2(torch.view_as_complex(turned), norm="ortho")
        return fitting(task, (image + change).abs() - image)

    def _raw(self, change: Tensor) -> Tensor:
        height, width = change.shape[3:]
        rows, columns = (torch.fft.fftfreq(length, device=change.device).abs() for length in (height, width))
        within = (rows[:, None] <= self.band / 2) & (columns <= self.band / 2)
        return torch.view_as_real(torch.fft.fft2(change, norm="ortho") * within)

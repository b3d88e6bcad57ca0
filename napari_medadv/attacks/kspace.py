"""MR k-space perturbation, after Morshuis et al. 2022, https://arxiv.org/abs/2208.03161: the raw data of each slice is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Capture, Carried, fitting
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class KSpace(Capture):
    """Complex numbers added to the k-space of each slice, whose magnitude image is then what is stored.

    The slice is taken as a magnitude image of phase zero; where values fall below zero, no signal is the least that can be stored.

    Attributes
    ----------
    step
        Length of a step as a share of epsilon.
    band
        Which frequencies are changed: those below this share of the highest along each axis.
    """

    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    step: float = 0.1
    band: float = 0.5

    def __post_init__(self) -> None:
        Capture.__post_init__(self)
        if not 0 < self.band <= 1:
            raise AttackError(f"KSpace takes a band above 0 and up to 1, not {self.band:g}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        start = torch.zeros((*task.clean.shape, 2), device=task.clean.device)
        return self.ascended(task, start, self, Carried(self._raw, task.clean, self.step))

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

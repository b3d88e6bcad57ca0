"""Gain and gamma, after the exposure attack of Cheng et al. 2020, https://arxiv.org/abs/2009.09231: one curve for all grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Capture, Learned, fitting
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class GainGamma(Capture):
    """Exposure, offset and gamma of the whole image (of each channel), as a detector or its processing would turn them.

    Where the curve would change a voxel by more than the budget, all of it is made fainter.

    Attributes
    ----------
    step
        Learning rate; each of the three goes from -1 to 1.
    gain, gamma
        How far gain and offset may go, as shares of the contrast, and gamma, as a share of one, to either side.
    """

    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    gain: float = 0.3
    gamma: float = 0.5

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        start = torch.zeros((len(task), 3, task.clean.shape[1]), device=task.clean.device)
        return self.ascended(task, start, self, Learned(start, self.step))

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The image under another curve, less the image."""
        exposure, offset, bend = torch.tanh(turned)[..., None, None, None].unbind(dim=1)
        floor = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        share = ((task.clean - floor) / task.contrast).clamp_min(1e-6)
        power = torch.exp(bend * torch.log1p(torch.tensor(self.gamma, device=bend.device)))
        return fitting(task, task.contrast * (share**power * (1 + self.gain * exposure) + self.gain * offset - share))

"""Residual forensics: slices whose noise differs from their neighbours'; noise estimate of Immerkaer 1996, https://doi.org/10.1006/cviu.1996.0060."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.squeeze import Squeeze, gaussian, median
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Residual:
    """How far the noise of a slice leaves the course of its neighbours', in robust standard deviations.

    It looks at the pixels only. On a single image the noise of an attack and that of a scanner cannot be told apart, so it
    needs a stack; and it answers to any processing of some slices, so it informs and is not fused.

    Attributes
    ----------
    neighbours
        How many slices on each side.
    """

    needs: ClassVar[tuple[Need, ...]] = ("slices",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "changes below the noise, and changes of every slice alike"

    neighbours: int = 3

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise DetectorError(f"Residual takes neighbours >= 1, not {self.neighbours}.")

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """Standard deviations: (batch,), one a slice, or the largest of a whole volume."""
        noise = levels(suspect)
        width = 2 * self.neighbours + 1
        if len(noise) < width:
            raise DetectorError(
                f"Residual forensics compares slices with their neighbours and needs {width}, not {len(noise)}."
            )
        index = torch.arange(len(noise))
        starts = (index - self.neighbours).clamp(0, len(noise) - width)
        around = noise[starts[:, None] + torch.arange(width)]
        course = around.median(dim=1).values
        away = noise - course
        spread = 1.4826 * away.abs().median().clamp_min(1e-3)
        scores = away.abs() / spread
        return scores.amax()[None] if len(suspect.values) == 1 else scores

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """The fine detail, in grey levels, smoothed."""
        detail = (suspect.values - median(suspect.values, suspect, Squeeze())).abs() / suspect.quantum
        return gaussian(detail, suspect, Squeeze()).amax(dim=1, keepdim=True)


def levels(suspect: Suspect) -> Tensor:
    """Logarithm of the noise of each slice: (slice,), from a mask that no plane and no straight edge answers to."""
    planes = suspect.values[:, :1].flatten(0, 2)[:, None]
    if min(planes.shape[-2:]) < 3:
        raise DetectorError(
            "Residual forensics looks at squares of 3 pixels, and these slices are smaller: leave it out."
        )
    mask = torch.tensor([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]], device=planes.device)
    answer = torch.nn.functional.conv2d(planes, mask.view(1, 1, 3, 3)).abs().flatten(1)
    quantum = float(suspect.quantum.min())
    return torch.log(answer.quantile(0.5, dim=1) / 6 + 0.05 * quantum)

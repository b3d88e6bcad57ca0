"""Resampling: the period that interpolation leaves in second differences; Gallagher 2005, https://doi.org/10.1109/CRV.2005.33."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Resampling:
    """How far the strongest period in the second differences stands above the others, as a logarithm.

    It looks at the pixels only; many clean series were interpolated by their scanner, so it informs and is not fused.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = (
        "every change that does not resample, and resampling by whole factors or with noise after it"
    )

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The larger of both axes: (batch,)."""
        planes = suspect.values.detach()
        if min(planes.shape[-2:]) < 8:
            raise DetectorError(
                "Resampling looks for a period over 8 pixels at least, and these slices are smaller: leave it out."
            )
        return torch.maximum(_period(planes), _period(planes.transpose(-1, -2)))


def _period(planes: Tensor) -> Tensor:
    """Logarithm of the highest over the median line of the spectrum along the last axis: (batch,)."""
    second = (planes[..., 2:] - 2 * planes[..., 1:-1] + planes[..., :-2]).abs()
    most = 4 * second.flatten(1).mean(dim=1).view(-1, 1, 1, 1, 1)
    along = torch.minimum(second, most).flatten(1, -2).mean(dim=1)
    count = along.shape[1]
    fade = torch.hann_window(count, periodic=False, device=along.device)
    power = torch.fft.rfft((along - along.mean(dim=1, keepdim=True)) * fade).abs()
    fine = power[:, max(power.shape[1] // 8, 1) :] + 1e-9
    return torch.log(fine.amax(dim=1) / fine.median(dim=1).values)

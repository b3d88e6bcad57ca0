"""Spectrum: fine detail that clean images have not; Durall, Keuper and Keuper 2020, https://arxiv.org/abs/2003.01826."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Spectrum:
    """How far the power at each fineness lies from that of clean images, in their standard deviations.

    It looks at the pixels only, and answers to any processing; it informs and is not fused.

    Attributes
    ----------
    bands
        Rings of spatial frequency from zero to the finest.
    """

    needs: ClassVar[tuple[Need, ...]] = ("clean images",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "changes that are small beside the image's own noise, and smooth changes"

    bands: int = 16

    def __post_init__(self) -> None:
        if self.bands < 2:
            raise DetectorError(f"Spectrum takes bands >= 2, not {self.bands}.")

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def fit(self, clean: Sequence[Suspect]) -> State:
        """Mean and standard deviation of the logarithm of the power of each band."""
        seen = torch.cat([powers(suspect, self.bands) for suspect in clean]).numpy()
        spread = seen.std(axis=0) + 0.05
        return {"mean": seen.mean(axis=0).astype(np.float32), "spread": spread.astype(np.float32)}

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The root mean square over the bands: (batch,)."""
        away = (powers(suspect, self.bands) - torch.from_numpy(state["mean"])) / torch.from_numpy(state["spread"])
        return away.square().mean(dim=1).sqrt()


def powers(suspect: Suspect, bands: int) -> Tensor:
    """Logarithm of the mean power in each ring of frequency: float32, (batch, band)."""
    planes = suspect.values.detach().cpu() / suspect.range
    rows, columns = planes.shape[-2:]
    fade = torch.outer(torch.hann_window(rows, periodic=False), torch.hann_window(columns, periodic=False))
    power = torch.fft.rfft2((planes - planes.mean(dim=(-2, -1), keepdim=True)) * fade).abs().square().mean(dim=(1, 2))
    radius = torch.hypot(torch.fft.fftfreq(rows)[:, None], torch.fft.rfftfreq(columns)[None])
    ring = (radius / 0.5 * bands).long().clamp_max(bands - 1).flatten()
    totals = torch.zeros(len(power), bands).index_add(1, ring, power.flatten(1))
    return torch.log(totals / torch.bincount(ring, minlength=bands).clamp_min(1) / (rows * columns) + 1e-12)

"""Histogram: gaps and combs that a stretched contrast leaves; Stamm and Liu 2010, https://doi.org/10.1109/TIFS.2010.2053202."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect

_MOST = 65536


@dataclass(frozen=True, slots=True)
class Histogram:
    """How far neighbouring grey levels differ in number, in standard deviations of chance.

    It looks at the pixels only; export under a window does the same, so it informs and is not fused.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "every change that does not stretch the contrast, and a little noise after a stretch"

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The root mean square over the grey levels in use: (batch,)."""
        codes = (suspect.values.detach() / suspect.quantum).flatten(1).round().cpu().double()
        return torch.stack([_roughness(each) for each in codes]).to(suspect.values)


def _roughness(codes: Tensor) -> Tensor:
    low, high = torch.quantile(codes[:: max(len(codes) // 1_000_000, 1)], torch.tensor([0.02, 0.98]).double())
    inside = codes[(codes >= low) & (codes <= high)] - low
    counts = torch.bincount(inside.long().clamp_max(_MOST), minlength=8).double()
    expected = (counts[2:] + counts[:-2]) / 2
    used = expected >= 8
    if int(used.sum()) < 4:
        return torch.tensor(0.0)
    away = (counts[1:-1] - expected)[used] / (1.5 * expected[used]).sqrt()
    return away.square().mean().sqrt().float()

"""Block grid: the 8 x 8 squares that JPEG leaves; Fan and de Queiroz 2003, https://doi.org/10.1109/TIP.2002.807361."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect

_SIDE = 8


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """How much more neighbours differ across every eighth border than elsewhere, as a logarithm.

    A trace of JPEG in an image that claims none says that it came by another way than it claims. It looks at the pixels
    only; it informs and is not fused.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "every change after which no JPEG followed, and cropped or resampled JPEG"

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The larger of both axes: (batch,)."""
        planes = suspect.values.detach()
        quantum = float(suspect.quantum.min())
        return torch.maximum(_steps(planes, quantum), _steps(planes.transpose(-1, -2), quantum))


def _steps(planes: Tensor, quantum: float) -> Tensor:
    """How much the steps of the strangest of eight phases stand out along the last axis: (batch,)."""
    middle = (planes[..., 1:] - planes[..., :-1]).abs()
    around = (planes[..., 3:] - planes[..., 2:-1]).abs() + (planes[..., 1:-2] - planes[..., :-3]).abs()
    excess = middle[..., 1:-1] - around / 2
    columns = excess.flatten(1, -2).mean(dim=1)
    columns = torch.nn.functional.pad(columns, (0, -columns.shape[1] % _SIDE), value=torch.nan)
    phases = columns.view(len(columns), -1, _SIDE).nanmean(dim=1)
    level = middle.flatten(1).mean(dim=1) + quantum
    others = phases.median(dim=1).values
    return (phases.amax(dim=1) - others).clamp_min(0) / level

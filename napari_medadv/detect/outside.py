"""Outside: detail where there is no body and no detector saw anything; a check that Mirsky et al. 2019 suggest, https://arxiv.org/abs/1901.03597."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.ndimage import binary_erosion, label
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.squeeze import Squeeze, median
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Outside:
    """The mean detail, in grey levels, in what is black or white and touches the border: collimated edges, air.

    It looks at the pixels only, and answers to any noise there; it informs and is not fused. Zero where nothing lies outside.

    Attributes
    ----------
    share
        How near the end of the grey scale is outside, as a share of the display window.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "changes of the body alone, and changes shaped like the noise of air"

    share: float = 0.03

    def __post_init__(self) -> None:
        if not 0 < self.share < 0.5:
            raise DetectorError(f"Outside takes a share between 0 and 0.5, not {self.share:g}.")

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """Logarithm of one and the mean detail: (batch,)."""
        detail, mask = self._detail(suspect)
        mean = (detail * mask).flatten(1).sum(dim=1) / mask.flatten(1).sum(dim=1).clamp_min(1)
        return torch.log1p(mean)

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """The detail itself, all over the image where nothing lies outside."""
        detail, mask = self._detail(suspect)
        shown = torch.where(mask.flatten(1).any(dim=1).view(-1, 1, 1, 1, 1), detail * mask, detail)
        return shown.amax(dim=1, keepdim=True)

    def _detail(self, suspect: Suspect) -> tuple[Tensor, Tensor]:
        """Detail in grey levels, and what lies outside: both of the shape of the values."""
        smooth = median(suspect.values.detach(), suspect, Squeeze())
        detail = (suspect.values.detach() - smooth).abs() / suspect.quantum
        low, high = smooth.flatten(1).amin(dim=1), smooth.flatten(1).amax(dim=1)
        ends = [(each - end.view(-1, 1, 1, 1, 1)).abs() for each, end in ((smooth, low), (smooth, high))]
        near = torch.minimum(*ends) <= self.share * suspect.range
        planes = near.all(dim=1).cpu().numpy()
        found = np.stack([[_outer(plane) for plane in entry] for entry in planes])
        mask = torch.from_numpy(found)[:, None].to(detail.device).expand_as(detail)
        return detail, mask.to(detail)


def _outer(plane: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """What touches the border, two voxels inside its own edge; nothing where it is smaller than a hundredth."""
    regions, _ = label(plane)
    border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    outer = np.isin(regions, border[border > 0])
    inner: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = binary_erosion(outer, iterations=2, border_value=1)
    return inner if inner.mean() >= 0.01 else np.zeros_like(inner)

"""Squeeze consistency: a decision that hangs on detail which mild filters remove; Xu, Evans and Qi 2017, https://arxiv.org/abs/1704.01155."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from napari_medadv.detect.benign import through_jpeg2000
from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Squeeze:
    """By how much the decision weakens under the filter that weakens it most.

    Attributes
    ----------
    filters
        Among "median", "gaussian", "shift" (by half a pixel), "bits" and "jpeg2000".
    bits
        How many of the window's bits are kept by "bits".
    ratio
        Compression of "jpeg2000", as its peak signal-to-noise ratio in decibel.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "smooth and low-frequency changes, patches, and attacks that climb through the filters"

    filters: tuple[str, ...] = ("median", "gaussian", "shift", "bits", "jpeg2000")
    bits: int = 5
    ratio: float = 38.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.filters if name not in _FILTERS]
        if unknown or not self.filters or not 1 <= self.bits <= 12 or self.ratio <= 0:
            raise DetectorError(
                f"Squeeze takes filters among {', '.join(_FILTERS)}, bits from 1 to 12 and a ratio above 0."
            )

    @property
    def passes(self) -> int:
        """One for the suspect and one a filter."""
        return 1 + len(self.filters)

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """How far the decision weakens: (batch,), in logits."""
        before = suspect.presence(suspect.values)
        drops = [suspect.held(_FILTERS[name](suspect.values, suspect, self), before) for name in self.filters]
        return torch.stack(drops).amax(dim=0)

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """What the median takes away, in grey levels."""
        removed = suspect.values - median(suspect.values, suspect, self)
        return removed.abs().amax(dim=1, keepdim=True) / suspect.quantum


def _planes(values: Tensor) -> Tensor:
    """(batch, channel, z, y, x) as (planes, 1, y, x)."""
    return values.reshape(-1, 1, *values.shape[-2:])


def median(values: Tensor, suspect: Suspect, settings: Squeeze) -> Tensor:
    """The median of 3 x 3 in every slice."""
    padded = pad(_planes(values), (1, 1, 1, 1), mode="replicate")
    y, x = values.shape[-2:]
    parts = [padded[..., i : i + y, j : j + x] for i in range(3) for j in range(3)]
    middle: Tensor = torch.stack(parts).median(dim=0).values
    return middle.reshape(values.shape)


def gaussian(values: Tensor, suspect: Suspect, settings: Squeeze) -> Tensor:
    """A Gaussian of one pixel."""
    weights = torch.exp(-0.5 * torch.arange(-3, 4, device=values.device, dtype=values.dtype) ** 2)
    weights = weights / weights.sum()
    planes = pad(_planes(values), (3, 3, 3, 3), mode="replicate")
    return conv2d(conv2d(planes, weights.view(1, 1, 7, 1)), weights.view(1, 1, 1, 7)).reshape(values.shape)


def shift(values: Tensor, suspect: Suspect, settings: Squeeze) -> Tensor:
    """Half a pixel down and right, bilinear."""
    padded = pad(_planes(values), (0, 1, 0, 1), mode="replicate")
    return avg_pool2d(padded, 2, 1).reshape(values.shape)


def bits(values: Tensor, suspect: Suspect, settings: Squeeze) -> Tensor:
    """Fewer grey levels, always a whole multiple of the stored one; the gradient passes straight through."""
    step = (suspect.range / 2**settings.bits / suspect.quantum).round().clamp_min(1) * suspect.quantum
    rounded: Tensor = torch.round((values.detach() - suspect.window[0]) / step) * step + suspect.window[0]
    return values + (rounded - values).detach()


def jpeg2000(values: Tensor, suspect: Suspect, settings: Squeeze) -> Tensor:
    """Through lossy JPEG 2000 of the stored integers; the gradient passes straight through."""
    quantum = suspect.quantum.expand(values.shape[0], 1, values.shape[2], 1, 1)
    codes = (values.detach() / quantum).cpu()
    lowest = codes.amin(dim=(3, 4), keepdim=True)
    span = suspect.range / float(suspect.quantum.min())
    level = settings.ratio + 20 * np.log10(65535 / max(span, 1.0))
    planes = _planes((codes - lowest).round()).double().numpy()[:, 0]
    through = np.stack([through_jpeg2000(plane, level) for plane in planes])
    found = torch.from_numpy(through.astype(np.float32)).view(values.shape) + lowest
    return values + (found.to(values.device) * quantum - values).detach()


_FILTERS: dict[str, Callable[[Tensor, Suspect, Squeeze], Tensor]] = {
    "median": median,
    "gaussian": gaussian,
    "shift": shift,
    "bits": bits,
    "jpeg2000": jpeg2000,
}

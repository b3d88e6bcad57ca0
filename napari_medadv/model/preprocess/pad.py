"""Pad: a margin of one value round the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from napari_medadv.model.preprocess.size import positive, space


@dataclass(frozen=True, slots=True)
class Pad:
    """A margin that brings the image to at least `size`, the image in the middle.

    Attributes
    ----------
    size
        [y, x] or [z, y, x] at least; "square" makes y and x as long as the longer of both.
    value
        What the margin holds, in the unit that the values have at this step.
    """

    size: tuple[int, ...] | Literal["square"]
    value: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.size, str):
            positive(self.size)

    def __call__(self, values: Tensor) -> Tensor:
        """The image with its margin."""
        wanted: tuple[int, ...]
        if isinstance(self.size, str):
            longest = max(values.shape[-2:])
            wanted, shape = (longest, longest), tuple(values.shape[-2:])
        else:
            wanted, shape = self.size, space(values, self.size, "pad")
        margins: list[int] = []
        for want, have in zip(reversed(wanted), reversed(shape), strict=True):
            missing = max(want - have, 0)
            margins += [missing // 2, missing - missing // 2]
        return F.pad(values, margins, value=self.value) if any(margins) else values

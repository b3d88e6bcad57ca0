"""Resize: another number of pixels, linear and antialiased."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.model.preprocess.resample import resample
from napari_medadv.model.preprocess.size import positive, space


@dataclass(frozen=True, slots=True)
class Resize:
    """Resampling to a size: bilinear for slices and trilinear for volumes, antialiased when it shrinks.

    Attributes
    ----------
    size
        [y, x] or [z, y, x]; or one number, the length of the shorter of y and x, which keeps the aspect.
    """

    size: int | tuple[int, ...]

    def __post_init__(self) -> None:
        if isinstance(self.size, int):
            if self.size < 1:
                raise ValueError(f"size is {self.size}, and at least 1 is expected")
        else:
            positive(self.size)

    def __call__(self, values: Tensor) -> Tensor:
        """The values at the new size."""
        if isinstance(self.size, int):
            y, x = values.shape[-2:]
            long = self.size * max(y, x) // min(y, x)
            plane = (self.size, long) if y <= x else (long, self.size)
            return resample(values, (*values.shape[2:-2], *plane))
        space(values, self.size, "resize")
        return resample(values, self.size)

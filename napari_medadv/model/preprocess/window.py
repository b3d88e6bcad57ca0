"""Window: an intensity window becomes 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """From center - width / 2, which becomes 0, to center + width / 2, which becomes 1; clipped outside.

    Attributes
    ----------
    center, width
        In the classifier's unit.
    """

    center: float
    width: float

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise ValueError(f"width is {self.width:g}, and a number above 0 is expected")

    def __call__(self, values: Tensor) -> Tensor:
        """Grey from 0 to 1; no gradient where the window clips."""
        return ((values - (self.center - self.width / 2)) / self.width).clamp(0, 1)

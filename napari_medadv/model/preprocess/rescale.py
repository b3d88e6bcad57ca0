"""Rescale: one range of values becomes another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rescale:
    """A straight line that takes `source` to `target`.

    Attributes
    ----------
    source, target
        [low, high] before and after; the target may be turned round.
    outside
        Values outside the source are continued along the line ("continue") or clipped to the target ("clip").
    """

    source: tuple[float, float]
    target: tuple[float, float] = (0.0, 1.0)
    outside: Literal["continue", "clip"] = "continue"

    def __post_init__(self) -> None:
        if not self.source[0] < self.source[1]:
            raise ValueError(f"source is {list(self.source)}, and [low, high] with low below high is expected")
        if self.target[0] == self.target[1]:
            raise ValueError(f"target is {list(self.target)}, and two different numbers are expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The values in the other range."""
        (low, high), (first, last) = self.source, self.target
        moved = (values - low) * ((last - first) / (high - low)) + first
        return moved.clamp(min(first, last), max(first, last)) if self.outside == "clip" else moved

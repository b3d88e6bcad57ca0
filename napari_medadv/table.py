"""Table: what integers become where a file says it entry by entry (lookup tables of PS3.3 C.11.1 and C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A lookup table: its first and last entry hold outside of it, and a straight line between two entries.

    Attributes
    ----------
    first
        The integer that the first entry belongs to.
    entries
        float64, (n,): what the integers from `first` on become, in `unit`.
    unit
        "HU", "OD", ...; "grey" where entries run from 0 to 1.
    """

    first: int
    entries: Floats
    unit: str = "grey"

    def __post_init__(self) -> None:
        entries = np.array(self.entries, np.float64)
        if entries.ndim != 1 or not len(entries) or not np.isfinite(entries).all():
            raise ValueError(f"a table has finite entries in a row, not {entries.shape}")
        entries.flags.writeable = False
        object.__setattr__(self, "entries", entries)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Table)
            and (self.first, self.unit) == (other.first, other.unit)
            and np.array_equal(self.entries, other.entries)
        )

    def __hash__(self) -> int:
        return hash((self.first, self.unit, self.entries.tobytes()))

    @property
    def last(self) -> int:
        """The integer that the last entry belongs to."""
        return self.first + len(self.entries) - 1

    @property
    def reach(self) -> tuple[int, int]:
        """The integers between which the entries change: all the same before and after."""
        moved = np.flatnonzero(np.diff(self.entries))
        return (self.first + int(moved[0]), self.first + int(moved[-1]) + 1) if len(moved) else (self.first, self.last)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """What `values` become: float32, of their shape, in `unit`."""
        places = np.arange(self.first, self.last + 1)
        found: npt.NDArray[np.float32] = np.interp(values, places, self.entries).astype(np.float32)
        return found

    def rise(self, change: float) -> float:
        """The most by which entries differ anywhere, where integers differ by `change`."""
        places = np.arange(self.first, self.last + 1)
        moved = np.interp([places - change, places + change], places, self.entries)
        return float(np.abs(moved - self.entries).max())

    def line(self, lowest: int, highest: int) -> tuple[float, float] | None:
        """Slope and intercept, where the table is nothing but a line over all integers from `lowest` to `highest`."""
        if self.first > lowest or self.last < highest:
            return None
        entries = self.entries[lowest - self.first : highest - self.first + 1]
        slope = (entries[-1] - entries[0]) / (highest - lowest)
        intercept = entries[0] - slope * lowest
        straight = slope * np.arange(lowest, highest + 1) + intercept
        if not slope or np.abs(entries - straight).max() > 1e-9 * max(1.0, float(np.abs(entries).max())):
            return None
        return float(slope), float(intercept)

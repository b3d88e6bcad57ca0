"""Lookup: a table of entries, such as the VOI LUT or Modality LUT that a network was trained behind (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from napari_medadv.model.curve import curve
from napari_medadv.table import Table


@dataclass(frozen=True, slots=True)
class Lookup:
    """Values become the entries of a table, with straight lines between them; the end entries hold outside.

    Attributes
    ----------
    first
        The value that the first entry belongs to, in the classifier's unit.
    entries
        What `first`, `first` + 1, ... become.
    scale
        What the entries are divided by: 4095 makes 0 to 1 of entries of 12 bits.
    """

    first: int
    entries: tuple[float, ...]
    scale: float = 1.0

    def __post_init__(self) -> None:
        if len(self.entries) < 2:
            raise ValueError(f"entries holds {len(self.entries)}, and two at least are expected")
        if not self.scale:
            raise ValueError("scale is 0, and another number is expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The entries at `values`; where the table has steps, the gradient is that of the ramp under them."""
        return curve(_table(self), values.device)(values)


@lru_cache(maxsize=8)
def _table(step: Lookup) -> Table:
    return Table(step.first, np.divide(step.entries, step.scale))

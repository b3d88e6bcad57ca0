"""Curve: a lookup table as a differentiable function of tensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import torch
from torch import Tensor

from napari_medadv.table import Table


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Straight lines between the entries of a table, the first and the last entry outside of it.

    Where the table has steps (more inputs than greys), the gradient is that of the ramp on which the steps stand: theirs is
    zero almost everywhere, and tells nobody anything.

    Attributes
    ----------
    first
        The value that the first entry belongs to.
    entries
        float, (n,).
    ramp
        float, (n,): the entries with the steps smoothed away; the entries themselves where there are none.
    """

    first: float
    entries: Tensor
    ramp: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """What `values` become, of their shape."""
        found = self._between(values, self.entries)
        if self.ramp is self.entries:
            return found
        smooth = self._between(values, self.ramp)
        return smooth + (found - smooth).detach()

    def _between(self, values: Tensor, entries: Tensor) -> Tensor:
        entries = entries.to(values)
        if len(entries) == 1:
            return entries[0] + 0 * values
        place = (values - self.first).clamp(0, len(entries) - 1)
        below = place.detach().floor().clamp(max=len(entries) - 2)
        index = below.long()
        low = entries[index]
        return low + (entries[index + 1] - low) * (place - below)


@lru_cache(maxsize=8)
def curve(table: Table, device: torch.device | None = None) -> Curve:
    """The curve of a table."""
    entries = torch.tensor(table.entries, dtype=torch.float32, device=device)
    return Curve(float(table.first), entries, _ramp(entries, _tread(table)))


def _tread(table: Table) -> int:
    """How many inputs the widest step takes, between the flat ends of the table."""
    low, high = (place - table.first for place in table.reach)
    return max((len(list(same)) for _, same in groupby(table.entries[low + 1 : high].tolist())), default=1)


def _ramp(entries: Tensor, tread: int) -> Tensor:
    """The mean of the `tread` entries around each, where a step is that wide; no step is taken as wider than an eighth of all."""
    tread = min(tread, len(entries) // 8)
    if tread < 2:
        return entries
    padded = torch.cat([entries[:1].expand(tread), entries, entries[-1:].expand(tread)]).double()
    kernel = torch.ones(1, 1, 2 * tread + 1, dtype=torch.float64, device=entries.device) / (2 * tread + 1)
    return torch.nn.functional.conv1d(padded.view(1, 1, -1), kernel).flatten().to(entries)

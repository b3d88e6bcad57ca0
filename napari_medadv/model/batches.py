"""Batches: a network that was stored for one batch size, asked for any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """A network asked in batches of exactly `size`; the last one is filled up, and what was added is left out.

    Attributes
    ----------
    network
        Takes `size` entries.
    size
        How many; None for any number.
    """

    network: Callable[[Tensor], object]
    size: int | None = None

    def __call__(self, values: Tensor) -> object:
        """The answers to any number of entries."""
        if self.size is None or self.size == len(values):
            return self.network(values)
        found = [
            self.network(filled(values[start : start + self.size], self.size))
            for start in range(0, len(values), self.size)
        ]
        first = [answer[0] if isinstance(answer, list | tuple) and answer else answer for answer in found]
        tensors = [rows(answer, self.size) for answer in first if isinstance(answer, Tensor)]
        return torch.cat(tensors)[: len(values)] if len(tensors) == len(found) else first[0]


def filled(values: Tensor, size: int) -> Tensor:
    """Exactly `size` entries: the first ones, or all and the last one again."""
    missing = size - len(values)
    return torch.cat([values, values[-1:].expand(missing, *values.shape[1:])]) if missing > 0 else values[:size]


def rows(answer: Tensor, entries: int) -> Tensor:
    """An answer to one entry as (1, label), where a `squeeze()` took its axes of length one; any other as it is."""
    return answer.reshape(1, -1) if entries == 1 and answer.ndim < 2 else answer

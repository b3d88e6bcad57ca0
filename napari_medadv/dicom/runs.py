"""Runs: stretches of elements that nobody wants, and that look the same from file to file of a series.

The heads (tag, representation, length) of a stretch are compared all at once with those that were walked before; where every
one is the same, so is its end, and the walk goes on there. What differs is walked, and remembered anew.
"""

from __future__ import annotations

from struct import Struct

LONGEST = 24
"""Elements in one run: a value whose length changes from file to file spoils one run only."""
SHORTEST = 4
MOST = 4096
"""Runs that are remembered."""
PATIENCE = 3
"""A run that differed so often is not tried again."""


class Runs:
    """What is remembered: by first tag, the run."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Struct, tuple[bytes, ...], int] | None] = {}
        self._missed: dict[int, int] = {}

    def learn(self, data: bytes, places: list[tuple[int, int, int, int]]) -> None:
        """Remember a stretch: tag, offset, offset of the value and offset of the end of each element."""
        first = places[0][0]
        if len(places) < SHORTEST or self.known.get(first, ()) is None:
            return
        missed = self._missed[first] = self._missed.get(first, -1) + 1
        if len(self.known) >= MOST:
            self.known.clear()
            self._missed.clear()
        if missed >= PATIENCE:
            self.known[first] = None
            return
        form = "".join(f"{value - start}s{end - value}x" for _, start, value, end in places)
        heads = tuple(data[start:value] for _, start, value, _ in places)
        self.known[first] = Struct(form), heads, places[-1][0]

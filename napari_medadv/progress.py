"""Progress: how long work tells how far it is, and how it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and a few words; raises `Cancelled` when the person said stop."""


def silent(share: float, words: str) -> None:
    """Nobody is watching."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of one part of the work, from `start` to `end` of the whole."""

    def report(share: float, words: str) -> None:
        progress(start + share * (end - start), words)

    return report


def throttled(progress: Progress, per_second: float = 10) -> Progress:
    """The same, called at most so often, and always at the end; a call that is left out cannot cancel."""
    last = -1.0

    def report(share: float, words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if share >= 1 or now - last >= 1 / per_second:
            last = now
            progress(share, words)

    return report

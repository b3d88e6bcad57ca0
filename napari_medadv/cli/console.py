"""What a person at a terminal sees: results on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_medadv.progress import Progress, throttled

_SECONDS_BETWEEN_LINES = 10.0


def show(words: str, facts: dict[str, Any], *, as_json: bool) -> None:
    """Print the result: for a person, or as one JSON object."""
    print(json.dumps(facts, ensure_ascii=False, allow_nan=False) if as_json else words)


@contextmanager
def watched() -> Iterator[Progress]:
    """Progress on stderr: one living line on a terminal, else a line every ten seconds."""
    living = sys.stderr.isatty()
    shown = False
    last = time.monotonic()

    def line(share: float, words: str) -> None:
        nonlocal shown, last
        if living:
            shown = True
            print(f"\r{100 * share:3.0f} % {words:<40}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{100 * share:.0f} % {words}", file=sys.stderr, flush=True)

    try:
        yield throttled(line)
    finally:
        if shown:
            print("\r" + " " * 48 + "\r", end="", file=sys.stderr, flush=True)

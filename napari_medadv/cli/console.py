"""What a person at a terminal sees: results on stdout, progress on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_medadv.errors import OutputError, system_reason
from napari_medadv.progress import Progress, throttled

_SECONDS_BETWEEN_LINES = 10.0


def show(words: str, facts: dict[str, Any], *, as_json: bool) -> None:
    """Print the result: for a person, or as one JSON object.

    Raises
    ------
    OutputError
        What stdout leads to is full, or fails.
    """
    if as_json:
        unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
        words = json.dumps(facts, ensure_ascii=not unicode, allow_nan=False)
    try:
        print(words, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        hush()
        raise OutputError(
            f"The answer cannot be printed ({system_reason(error)}): let stdout lead to a place that takes it."
        ) from error


def hush() -> None:
    """Let what is still waiting for a stdout that fails, or that nobody reads, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def speakable() -> None:
    """Let every letter be printed, on any terminal: one that it has not becomes its number."""
    if sys.stderr is None:  # closed by who called
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
            width = _width()
            print(f"\r{f'{100 * share:3.0f} % {words}'[:width]:<{width}}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{100 * share:.0f} % {words}", file=sys.stderr, flush=True)

    try:
        yield throttled(line)
    finally:
        if shown:
            print("\r" + " " * _width() + "\r", end="", file=sys.stderr, flush=True)


def _width() -> int:
    """How long a living line may be: a longer one would break, and stay."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns - 1 if columns > 1 else 48

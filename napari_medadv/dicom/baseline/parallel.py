"""Parallel: workers that measure files; block by block, hashing holds Python's lock, so much data is worth processes."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

MUCH = 1 << 30
"""From how many bytes on starting processes pays."""


def workers(count: int, size: int) -> Executor:
    """`count` threads; or processes, for `size` bytes that are worth it."""
    if count > 1 and size >= MUCH:
        return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _quietly)
    return ThreadPoolExecutor(count)


def _quietly() -> None:
    """Leave it to the parent to answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

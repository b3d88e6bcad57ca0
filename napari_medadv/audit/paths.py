"""Paths as a record keeps them."""

from __future__ import annotations

import os
from pathlib import Path


def kept_path(path: Path, out: Path) -> str:
    """`path` as a record in the folder `out` keeps it: relative to it where the drive is the same."""
    try:
        return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()

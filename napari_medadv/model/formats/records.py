"""Records: the files inside a torch archive, named without unpacking or running anything."""

from __future__ import annotations

import zipfile
from pathlib import Path


def records(weights: Path | str) -> frozenset[str]:
    """The names of the records of a torch zip archive, without its top folder; empty for any other file.

    This only tells the formats apart. What is opened is checked again with torch's own reader.
    """
    if not isinstance(weights, Path):
        return frozenset()
    try:
        if not zipfile.is_zipfile(weights):
            return frozenset()
        with zipfile.ZipFile(weights) as archive:
            return frozenset(name.partition("/")[2] or name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return frozenset()  # the format that reads it says what is wrong

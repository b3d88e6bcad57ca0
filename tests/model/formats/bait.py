"""Bait: pickles and texts that would create a file if anything ran them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile


class Trap:
    """Unpickling it would create the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (exec, (self.code,))

    @property
    def code(self) -> str:
        """Python that creates the file."""
        return f"open({str(self.path)!r}, 'w').close()"


def rewrite(archive: Path, changes: dict[str, bytes | None]) -> Path:
    """The archive with some records changed, added or (None) taken out, named without its top folder."""
    with ZipFile(archive) as old:
        records = {name: old.read(name) for name in old.namelist()}
    top = next(iter(records)).split("/")[0]
    for name, content in changes.items():
        if content is None:
            records.pop(f"{top}/{name}")
        else:
            records[f"{top}/{name}"] = content
    with ZipFile(archive, "w", ZIP_STORED) as new:
        for name, content in records.items():
            new.writestr(name, content)
    return archive


def record(archive: Path, name: str) -> bytes:
    """One record, named without the top folder."""
    with ZipFile(archive) as opened:
        return opened.read(f"{opened.namelist()[0].split('/')[0]}/{name}")

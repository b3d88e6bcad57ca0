"""The files that an attack reads, as a record keeps them: relative to the record, so that a replay finds them from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from napari_medadv.attacks import Attack
from napari_medadv.audit.paths import kept_path

A = TypeVar("A", bound=Attack)


def kept_files(attack: A, out: Path) -> A:
    """The attack as a record in the folder `out` keeps it."""
    return _each(attack, lambda name: kept_path(Path(name), out) if _there(Path(name)) else name)


def found_files(attack: A, folder: Path) -> A:
    """The attack of a record that lies in `folder`; what is not there is left as it is written."""
    return _each(attack, lambda name: str(folder / name) if _there(folder / name) else name)


def _there(path: Path) -> bool:
    """Whether a file is there; a record may name what no file can be called."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _each(attack: A, place: Callable[[str], str]) -> A:
    """The attack with another place for each file that its `files` names."""
    if not is_dataclass(attack) or isinstance(attack, type):
        return attack
    told: dict[str, Any] = {name: getattr(attack, name) for name in getattr(attack, "files", ())}
    moved = {
        name: tuple(map(place, value)) if isinstance(value, tuple) else place(value)
        for name, value in told.items()
        if value
    }
    found: A = replace(attack, **moved) if moved else attack
    return found

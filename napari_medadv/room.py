"""Room: where the voxels of a volume lie: in memory, or, where they would take too much of it, in a mapped file."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medadv.errors import SeriesError, SettingError

SHARE = "MEDADV_MEMORY_SHARE"
"""The environment variable that says which share of the memory one volume may take."""
SCRATCH = "MEDADV_SCRATCH"
"""The environment variable that names the folder for volumes that take more."""

_M_MMAP_THRESHOLD = -3
_UNKNOWN = 8 << 30
_DISK_LEFT = 256 << 20
_CONTROL_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Room:
    """How much memory one volume may take.

    Attributes
    ----------
    share
        Of the memory that this program may use, from 0 (always a file) to 1.
    folder
        Where the files lie that are mapped instead; None takes /var/tmp, or the system's temporary folder.
    """

    share: float = 0.25
    folder: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SettingError(f"The share of the memory is a number from 0 to 1, not {self.share:g}: correct it.")

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array to be filled: its content is undefined.

        Raises
        ------
        SeriesError
            It fits neither into memory nor onto the disk.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size <= self.share * memory():
            try:
                return np.empty(shape, dtype)
            except MemoryError as fault:
                raise SeriesError(
                    f"A volume of {' x '.join(map(str, shape))} does not fit into memory: close other programs, "
                    f"or give it a smaller share (--memory-share), and it is kept on disk."
                ) from fault
        return self._mapped(shape, dtype, size)

    def like(self, voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A copy that lies where the original does: in memory, or in a file of its own."""
        if not mapped(voxels):
            return voxels.copy()
        found = self._mapped(voxels.shape, voxels.dtype, voxels.nbytes)
        for index, part in enumerate(voxels):
            found[index] = part
        return found

    def _mapped(self, shape: tuple[int, ...], dtype: npt.DTypeLike, size: int) -> npt.NDArray[Any]:
        folder = self.folder or scratch()
        try:
            free = shutil.disk_usage(folder).free
            if free < size + _DISK_LEFT:
                raise SeriesError(
                    f"A volume of {_words(size)} takes more than {100 * self.share:.3g} % of the memory, and its folder for "
                    f"temporary files has {_words(free)} left: free some space, name another folder in {SCRATCH}, or allow a "
                    "larger share (--memory-share)."
                )
            with tempfile.TemporaryFile(prefix="medadv-", dir=folder) as file:
                reserve: Callable[[int, int, int], None] | None = getattr(os, "posix_fallocate", None)
                if reserve is not None:  # or a disk that fills up later would kill the program
                    reserve(file.fileno(), 0, max(size, 1))
                else:
                    file.truncate(max(size, 1))
                _give_back()
                return np.ndarray(shape, dtype, mmap.mmap(file.fileno(), max(size, 1)))
        except (OSError, MemoryError, OverflowError) as fault:
            reason = getattr(fault, "strerror", None) or type(fault).__name__
            raise SeriesError(
                f"A volume of {_words(size)} takes more than {100 * self.share:.3g} % of the memory, and cannot be kept on disk "
                f"({reason}): name another folder in {SCRATCH}, or allow a larger share (--memory-share)."
            ) from fault


def standard() -> Room:
    """The room that the environment names, or a quarter of the memory.

    Raises
    ------
    SettingError
        The environment names no share from 0 to 1.
    """
    said = os.environ.get(SHARE, "")
    try:
        share = float(said) if said else Room().share
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise SettingError(f"{SHARE} is {said!r}, and a share of the memory from 0 to 1 is expected: correct it.")
    return Room(share)


def mapped(voxels: npt.NDArray[Any]) -> bool:
    """Whether an array lies in a mapped file."""
    base: object = voxels
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


def memory() -> int:
    """How many bytes this program may use: what the machine has, or what its limits leave of it."""
    found = [_machine()]
    for name in _CONTROL_GROUPS:
        try:
            found.append(int(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    try:
        import resource
    except ImportError:
        return min(found)
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            found.append(soft)
    return min(found)


def scratch() -> Path:
    """The folder for mapped files: not /tmp if that can be helped, which may itself be memory."""
    named = os.environ.get(SCRATCH)
    if named:
        return Path(named)
    large = Path("/var/tmp")
    return large if large.is_dir() and os.access(large, os.W_OK) else Path(tempfile.gettempdir())


@cache
def _give_back() -> None:
    """Have the C library hand large blocks back to the system when they are freed.

    Otherwise glibc keeps them in a heap that breaks into pieces: it grew with every slice that was read, to several times what
    was in use.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)
    except (AttributeError, OSError, TypeError):
        return


def _machine() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def _words(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 28 else f"{size / (1 << 20):.1f} MiB"

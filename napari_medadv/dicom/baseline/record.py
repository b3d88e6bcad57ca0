"""record(): measure every file of a folder into a ledger, in parallel; what was measured before an interruption is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

from napari_medadv.dicom.baseline.entry import Depth, Entry, measure, parse_entry
from napari_medadv.dicom.baseline.head import Key
from napari_medadv.dicom.baseline.ledger import Ledger, new_ledger, read_ledger, write_ledger
from napari_medadv.dicom.baseline.parallel import workers
from napari_medadv.errors import LedgerError, MedAdvError, SeriesError
from napari_medadv.progress import Progress, silent, throttled


@dataclass(frozen=True, slots=True)
class Recorded:
    """A written ledger.

    Attributes
    ----------
    ledger
        What was written.
    added, known, resumed
        How many entries are new, were in the ledger already, or came from an interrupted run.
    left_out
        Sentences about files that are no DICOM instances.
    """

    ledger: Ledger
    added: int
    known: int
    resumed: int
    left_out: tuple[str, ...]


def record(
    folder: Path,
    path: Path,
    key: Key | None = None,
    *,
    depth: Depth = "values",
    threads: int | None = None,
    processes: bool = False,
    progress: Progress = silent,
) -> Recorded:
    """Write the ledger `path` of every DICOM file below `folder`, or append what it lacks.

    Parameters
    ----------
    processes
        Measure much data in processes instead of threads, which wait for one another: only for a program whose main module
        may be imported again.

    Raises
    ------
    LedgerError
        The ledger that is there cannot be believed, or nothing is to be recorded.
    """
    files = [file for file in dicom_files(folder) if file.resolve() not in (path.resolve(), _partial(path).resolve())]
    before = read_ledger(path) if path.exists() else None
    if before is not None and before.heads and key is None:
        raise LedgerError(f"{path.name} is signed, so what is added must be signed too: give the key.")
    kept, salt = _resume(_partial(path))
    ledger = before or new_ledger(depth, salt)
    if before is not None and salt != before.salt:
        kept = {}
    wanted = in_parallel(threads)
    found, resumed, left_out = _measured(files, folder, ledger, path, kept, wanted, processes, progress)
    have = {entry.line() for entry in ledger.entries}
    new = sorted((entry for entry in found if entry.line() not in have), key=lambda e: (e.series, e.sop, e.file))
    if not found:
        raise LedgerError(f"{folder.name} holds no DICOM file that can be recorded: name a folder of DICOM files.")
    after = ledger.appended(new, key) if new or before is None else ledger
    write_ledger(after, path)
    _partial(path).unlink(missing_ok=True)
    return Recorded(after, len(new), len(found) - len(new), resumed, left_out)


def dicom_files(folder: Path) -> Iterator[Path]:
    """The files of a folder of any depth, or the one file, in order; hidden ones are left out."""
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise SeriesError(f"{folder.name} does not exist: name a file or a folder.")
    for root, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(root) / name for name in sorted(names) if not name.startswith("."))


def in_parallel(threads: int | None) -> int:
    """How many threads: as many as there are cores, unless told."""
    return threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def _measured(
    files: Sequence[Path],
    folder: Path,
    ledger: Ledger,
    path: Path,
    kept: dict[str, Entry],
    count: int,
    processes: bool,
    progress: Progress,
) -> tuple[list[Entry], int, tuple[str, ...]]:
    report = throttled(progress)
    names, left_out, size = {}, [], 0
    for file in files:
        try:
            state = file.stat()
        except OSError as error:
            left_out.append(f"{file.name} cannot be read ({error.strerror}).")
            continue
        text = f"{file.relative_to(folder) if file != folder else file.name} {state.st_size} {state.st_mtime_ns}"
        name = blake2b(text.encode("utf-8", "surrogateescape"), key=ledger.salt, digest_size=16).hexdigest()
        names[file] = name
        size += 0 if name in kept else state.st_size
    found = [kept[name] for name in names.values() if name in kept]
    due = [file for file, name in names.items() if name not in kept]
    resumed = len(found)
    with _partial(path).open("ab") as partial_file, workers(count, size if processes else 0) as pool:
        if not kept:
            partial_file.truncate(0)
            partial_file.write(ledger.salt.hex().encode() + b"\n")
        try:
            look = partial(_entry, salt=ledger.salt, depth=ledger.depth)
            for done, (file, entry) in enumerate(zip(due, pool.map(look, due, chunksize=4), strict=True)):
                if isinstance(entry, str):
                    left_out.append(entry)
                else:
                    found.append(entry)
                    line = json.dumps({"name": names[file], "entry": entry.line().decode()})
                    partial_file.write(line.encode() + b"\n")
                report((done + 1) / len(due), f"recording file {done + 1} of {len(due)}")
        except BrokenExecutor as error:
            raise LedgerError(
                "A process that measured files was stopped from outside (was there too little memory?): what was measured is kept, "
                "so run the same again, with --threads 1."
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found, resumed, tuple(left_out)


def _entry(file: Path, salt: bytes, depth: Depth) -> Entry | str:
    """The entry of a file, or why there is none."""
    try:
        return measure(file, salt, depth)
    except (MedAdvError, OSError) as error:
        return str(error)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _resume(path: Path) -> tuple[dict[str, Entry], bytes | None]:
    """What an interrupted run measured, by the salted name of the file, and its salt."""
    if not path.exists():
        return {}, None
    kept = {}
    try:
        first, *lines = path.read_bytes().split(b"\n")
        salt = bytes.fromhex(first.decode())
        if len(salt) != 16:
            return {}, None
        for line in lines[:-1]:
            found = json.loads(line)
            kept[found["name"]] = parse_entry(found["entry"].encode())
    except (ValueError, KeyError, TypeError, LedgerError):
        return {}, None
    return kept, salt

"""record(): measure every file of a folder into a ledger, in parallel; what was measured before an interruption is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from napari_medadv.dicom.baseline.entry import Depth, Entry, measure, parse_entry
from napari_medadv.dicom.baseline.head import Key
from napari_medadv.dicom.baseline.ledger import Ledger, new_ledger, read_ledger, write_ledger
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
    progress: Progress = silent,
) -> Recorded:
    """Write the ledger `path` of every DICOM file below `folder`, or append what it lacks.

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
    found, resumed, left_out = _measured(files, folder, ledger, path, kept, threads, progress)
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
    threads: int | None,
    progress: Progress,
) -> tuple[list[Entry], int, tuple[str, ...]]:
    report = throttled(progress)
    found: list[Entry] = []
    left_out: list[str] = []
    resumed = 0

    def one(file: Path) -> tuple[str, Entry | None, str]:
        name = ""
        try:
            state = file.stat()
            text = f"{file.relative_to(folder) if file != folder else file.name} {state.st_size} {state.st_mtime_ns}"
            name = blake2b(text.encode("utf-8", "surrogateescape"), key=ledger.salt, digest_size=16).hexdigest()
            return name, kept.get(name) or measure(file, ledger.salt, ledger.depth), ""
        except (MedAdvError, OSError) as error:
            return name, None, str(error)

    with _partial(path).open("ab") as partial, ThreadPoolExecutor(in_parallel(threads)) as pool:
        if not kept:
            partial.truncate(0)
            partial.write(ledger.salt.hex().encode() + b"\n")
        try:
            for done, (name, entry, why) in enumerate(pool.map(one, files)):
                if entry is None:
                    left_out.append(why)
                else:
                    found.append(entry)
                    resumed += name in kept
                    if name not in kept:
                        partial.write(json.dumps({"name": name, "entry": entry.line().decode()}).encode() + b"\n")
                report((done + 1) / len(files), f"recording file {done + 1} of {len(files)}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found, resumed, tuple(left_out)


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

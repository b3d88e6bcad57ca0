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
from napari_medadv.dicom.header import read_header
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
    own = (path.resolve(), _partial(path).resolve())
    files = [file for file in dicom_files(folder) if file.resolve() not in own]
    before = read_ledger(path) if path.exists() else None
    if before is not None and before.heads and key is None:
        raise LedgerError(f"{path.name} is signed, so what is added must be signed too: give the key.")
    if before is not None and key is not None:
        _refuse_foreign(before, key, path.name)
    if not path.parent.is_dir():
        raise LedgerError(
            f"The folder {path.parent.name} is not there: make it, or choose another place for {path.name}."
        )
    if threads is not None and threads < 1:
        raise LedgerError(f"{threads} threads can do nothing: give at least 1, or leave --threads out.")
    kept, salt = _resume(_partial(path), before.depth if before is not None else depth)
    ledger = before or new_ledger(depth, salt)
    if before is not None and salt != before.salt:
        kept = {}
    wanted = in_parallel(threads)
    found, resumed, left_out = _measured(files, folder, ledger, path, kept, wanted, processes, progress)
    have = {entry.line() for entry in ledger.entries}
    fresh = (entry for entry in found if entry.line() not in have) if have else found
    new = sorted(fresh, key=lambda e: (e.series, e.sop, e.file))
    if not found:
        raise LedgerError(f"{folder.name} holds no DICOM file that can be recorded: name a folder of DICOM files.")
    new, altered = _as_recorded(new, before)
    left_out += tuple(
        f"Instance {entry.number or '?'} (...{entry.sop[-12:]}) is not what was recorded of it before: look at it with `medadv verify "
        "--baseline`, and record it in another ledger if it is meant to be so."
        for entry in altered
    )
    after = ledger.appended(new, key) if new or before is None else ledger
    write_ledger(after, path)
    _partial(path).unlink(missing_ok=True)
    return Recorded(after, len(new), len(found) - len(new) - len(altered), resumed, left_out)


def _refuse_foreign(before: Ledger, key: Key, name: str) -> None:
    """A new head vouches for every line that is there already: only whoever vouched for them before may add one."""
    if not before.heads:
        raise LedgerError(
            f"{name} is not signed, so anybody may have written what it holds, and a signature would vouch for all of it: write a "
            "new ledger with the key, under another name."
        )
    if not before.heads[-1].made_by(key):
        raise LedgerError(
            f"The last signature of {name} was not made with this key, and a new one would vouch for lines that are not its own: "
            "give the key that signed it, or write a new ledger."
        )


def _as_recorded(new: list[Entry], before: Ledger | None) -> tuple[list[Entry], list[Entry]]:
    """What may be appended, and what contradicts an earlier entry of the same instance: a second one would hide that it was altered."""
    earlier: dict[str, list[Entry]] = {}
    for entry in () if before is None else before.entries:
        earlier.setdefault(entry.sop, []).append(entry)
    altered = [
        entry for entry in new if entry.sop in earlier and not any(_same(old, entry) for old in earlier[entry.sop])
    ]
    return [entry for entry in new if entry not in altered], altered


def _same(old: Entry, entry: Entry) -> bool:
    """Whether another file holds the same values and header."""
    if old.header is None or entry.header is None or old.pixels is None:
        return False
    header = all(entry.header.get(name) == part for name, part in old.header.items())
    return old.pixels == entry.pixels and header and old.signatures <= entry.signatures


def dicom_files(folder: Path) -> Iterator[Path]:
    """The files of a folder of any depth, or the one file, in order: those that a scan looks into, hidden ones as well."""
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise SeriesError(f"{folder.name} does not exist: name a file or a folder.")
    for root, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not (name.startswith(".") and name.endswith(".partial")))
        yield from (Path(root) / name for name in sorted(names) if not name.upper().endswith("DICOMDIR"))


def scanned(path: Path) -> list[Path]:
    """The files below `path` that a scan would not pass over: those with the mark of DICOM, and images without it."""
    return [file for file in dicom_files(path) if file == path or _dicom(file)]


def _dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            if stream.read(132)[128:] == b"DICM":
                return True
        read_header(file)
    except SeriesError:
        return False
    except OSError:
        return True
    return True


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
            partial_file.write(f"{ledger.salt.hex()} {ledger.depth}\n".encode())
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


def _resume(path: Path, depth: Depth) -> tuple[dict[str, Entry], bytes | None]:
    """What an interrupted run measured, by the salted name of the file, and its salt."""
    if not path.exists():
        return {}, None
    kept = {}
    try:
        first, *lines = path.read_bytes().split(b"\n")
        word, _, measured = first.decode().partition(" ")
        salt = bytes.fromhex(word)
        if len(salt) != 16 or measured != depth:
            return {}, None
        for line in lines[:-1]:
            found = json.loads(line)
            kept[found["name"]] = parse_entry(found["entry"].encode())
    except (ValueError, KeyError, TypeError, LedgerError):
        return {}, None
    return kept, salt

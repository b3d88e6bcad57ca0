"""Ledger: lines that are only ever added to, and the signed heads beside them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from napari_medadv.dicom.baseline.entry import Depth, Entry, parse_entry
from napari_medadv.dicom.baseline.head import Head, Key, parse_head, sign_head
from napari_medadv.dicom.baseline.merkle import root
from napari_medadv.dicom.baseline.pixels import BLOCK
from napari_medadv.errors import LedgerError, OutputError

VERSION = 1
LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Ledger:
    """The digests of some instances.

    Attributes
    ----------
    lines
        The first line, then one an entry, as bytes: what heads are calculated over.
    salt
        Random, for the digests of the header and of blocks.
    depth
        "values", or "files" for a ledger of file hashes only.
    entries
        The instances.
    heads
        Signed statements, oldest first; the last covers every line.
    """

    lines: tuple[bytes, ...]
    salt: bytes
    depth: Depth
    entries: tuple[Entry, ...]
    heads: tuple[Head, ...] = ()

    @property
    def root(self) -> str:
        """The Merkle root over all lines: write it down elsewhere to notice an old copy put in the place of a new one."""
        return root(self.lines)

    def appended(self, entries: Sequence[Entry], key: Key | None) -> Ledger:
        """The ledger with more entries, and a new head where there is a key."""
        lines = (*self.lines, *(entry.line() for entry in entries))
        heads = (*self.heads, sign_head(lines, key)) if key is not None else self.heads
        return Ledger(lines, self.salt, self.depth, (*self.entries, *entries), heads)


def new_ledger(depth: Depth = "values", salt: bytes | None = None) -> Ledger:
    """An empty ledger."""
    salt = salt or secrets.token_bytes(16)
    first = {"medadv ledger": VERSION, "salt": salt.hex(), "depth": depth, "block": BLOCK}
    return Ledger((json.dumps(first, separators=(",", ":")).encode(),), salt, depth, ())


def signature_path(path: Path) -> Path:
    """The file beside a ledger that holds its heads."""
    return path.with_name(path.name + ".sig")


def write_ledger(ledger: Ledger, path: Path) -> None:
    """Write the ledger and its heads, each whole or not at all.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    _replace(path, b"\n".join(ledger.lines) + b"\n")
    if ledger.heads:
        heads = [asdict(head) for head in ledger.heads]
        _replace(signature_path(path), json.dumps({"heads": heads}, indent=1).encode())


def read_ledger(path: Path) -> Ledger:
    """Read a ledger and check that every head fits its lines.

    Raises
    ------
    LedgerError
        It is no ledger, is corrupt, was shortened or lengthened, or a line was changed.
    """
    lines = tuple(_read(path, "ledger").split(b"\n"))
    if len(lines) < 2 or lines[-1]:
        raise LedgerError(f"{path.name} is no ledger, or it ends in the middle of a line: get a good copy.")
    lines = lines[:-1]
    try:
        first = json.loads(lines[0])
        version, salt, depth, block = (first[key] for key in ("medadv ledger", "salt", "depth", "block"))
        salt = bytes.fromhex(salt)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{path.name} is no ledger: give a file that `medadv baseline` wrote.") from error
    if version != VERSION or block != BLOCK or depth not in ("files", "values") or len(salt) != 16:
        raise LedgerError(f"{path.name} is a ledger of another version ({version}): use the program that wrote it.")
    entries = tuple(parse_entry(line) for line in lines[1:])
    heads = _heads(signature_path(path))
    for head in heads:
        if head.size > len(lines):
            raise LedgerError(
                f"{path.name} holds {len(lines)} lines where its signature of {head.time} covers {head.size}: lines were cut off."
            )
        if root(lines[: head.size]) != head.root:
            raise LedgerError(
                f"{path.name} does not fit its signature of {head.time}: a line was changed, added or removed."
            )
    if heads and heads[-1].size != len(lines):
        raise LedgerError(
            f"{path.name} holds {len(lines) - heads[-1].size} lines that no signature covers: they were added by somebody else, or "
            "writing was interrupted; write the baseline again."
        )
    return Ledger(lines, salt, depth, entries, heads)


def _heads(path: Path) -> tuple[Head, ...]:
    if not path.exists():
        return ()
    try:
        found = json.loads(_read(path, "signature file"))["heads"]
        heads = tuple(parse_head(dict(head)) for head in found)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{path.name} is no signature file of a ledger, or is corrupt: get a good copy.") from error
    if not heads or any(late.size < early.size for early, late in pairwise(heads)):
        raise LedgerError(f"{path.name} holds no heads, or in a wrong order: get a good copy.")
    return heads


def _read(path: Path, what: str) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise LedgerError(f"The {what} {path.name} is larger than 1 GiB: it is none.")
        return path.read_bytes()
    except OSError as error:
        raise LedgerError(f"The {what} {path.name} cannot be read ({error.strerror}): name an existing one.") from error


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): choose another place.") from error

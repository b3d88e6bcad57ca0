"""Entry: what a ledger keeps of one instance. No pixels, no patient's name, no path."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from napari_medadv.dicom.baseline.parts import header_digests
from napari_medadv.dicom.baseline.pixels import PixelDigest, digest, stored
from napari_medadv.dicom.signature.part10 import part10
from napari_medadv.dicom.signature.stream import SIGNATURES
from napari_medadv.errors import LedgerError, SeriesError, SignatureError

Depth = Literal["files", "values"]


@dataclass(frozen=True, slots=True)
class Entry:
    """The digests of one instance.

    Attributes
    ----------
    sop, series, number
        SOP and Series Instance UID; Instance Number, as text.
    file, size
        SHA-256 and length of the file.
    signatures
        How many DICOM signatures its main data set carried.
    header
        A salted digest of every part of the header; empty in a ledger of files only.
    pixels
        The digest of the decoded stored values; None where there are none or they cannot be decoded.
    """

    sop: str
    series: str
    number: str
    file: str
    size: int
    signatures: int = 0
    header: dict[str, str] | None = None
    pixels: PixelDigest | None = None

    def line(self) -> bytes:
        """The entry as one line of the ledger, always the same bytes."""
        found = _plain(self) | {"pixels": None if self.pixels is None else _plain(self.pixels)}
        return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


def _plain(noun: Entry | PixelDigest) -> dict[str, Any]:
    """Its fields by name, as they are: `dataclasses.asdict` would copy every digest."""
    return {each.name: getattr(noun, each.name) for each in fields(noun)}


def parse_entry(line: bytes) -> Entry:
    """The entry of one line.

    Raises
    ------
    LedgerError
        It is none.
    """
    try:
        found: dict[str, Any] = json.loads(line)
        pixels = found.pop("pixels")
        if pixels is not None:
            pixels = PixelDigest(pixels["sha256"], tuple(pixels["shape"]), pixels["blocks"])
        entry = Entry(pixels=pixels, **found)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError("The ledger holds a line that is no entry: it is corrupt, get a good copy.") from error
    if entry.line() != line:
        raise LedgerError("The ledger holds an entry that was not written by this program: it is corrupt.")
    return entry


def measure(path: Path, salt: bytes, depth: Depth = "values") -> Entry:
    """The entry of a file.

    Raises
    ------
    SeriesError
        It cannot be read, or is no DICOM file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SeriesError(f"{path.name} cannot be read ({error.strerror}).") from error
    try:
        file = part10(data, copied=False)
    except SignatureError as error:
        raise SeriesError(f"{path.name}: {error}") from error
    entry = Entry(
        file.text(0x00080018),
        file.text(0x0020000E),
        file.text(0x00200013),
        sha256(data).hexdigest(),
        len(data),
        len(file.items(SIGNATURES)),
    )
    if not entry.sop:
        raise SeriesError(f"{path.name} has no SOP Instance UID: it is no DICOM instance.")
    if depth == "files":
        return entry
    try:
        pixels = digest(stored(path, data), salt)
    except SeriesError:
        pixels = None
    return Entry(
        entry.sop,
        entry.series,
        entry.number,
        entry.file,
        entry.size,
        entry.signatures,
        header_digests(file, salt),
        pixels,
    )

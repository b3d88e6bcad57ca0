"""Header: what one file says about its image, read without its pixels."""

from __future__ import annotations

import math
import os
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from io import FileIO
from pathlib import Path
from struct import unpack

import pydicom
from pydicom.dataelem import RawDataElement

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.part10_start import data_set, transfer_syntax
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.template import FIRST_READ, Match, Templates
from napari_medadv.dicom.walk import Broken, Doubt, Element, Place, Short, walk
from napari_medadv.dicom.words import words
from napari_medadv.errors import SeriesError

LONGEST = 64 << 20
"""A header longer than this many bytes is refused."""
INFLATED = 512 << 20
"""A deflated data set that inflates to more bytes than this is refused, or to over 100 times its size past 64 MiB."""
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


Stamp = tuple[int, int]


class Changed(Broken):
    """A file is no longer the one whose header was read."""


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """The undecoded attributes of one file and the place of its pixels.

    Attributes
    ----------
    syntax
        Transfer Syntax UID.
    raw
        Undecoded value by tag; empty bytes for a sequence that is there.
    pixels
        Where the pixel data are, or None. In a deflated file the offset counts inflated bytes.
    size
        Bytes in the file (inflated, where it is deflated).
    groups
        Where the sequences of functional groups lie in a multi-frame file that was walked.
    frame
        Which frame of the file this tells of, from 0, where functional groups tell of each; or None.
    stamp
        When the file was last written, in ns, and its bytes, as it was read.
    """

    file: str
    syntax: str
    raw: dict[int, bytes]
    pixels: Place | None
    size: int
    little: bool = True
    groups: tuple[Element, ...] = ()
    frame: int | None = None
    stamp: Stamp | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file)

    def __contains__(self, tag: int) -> bool:
        return tag in self.raw

    def check(self, descriptor: int | str) -> None:
        """See that the file, open or by name, is the one that was read.

        Raises
        ------
        Changed
            It was written since.
        """
        if self.stamp is not None and stamp(descriptor) != self.stamp:
            raise Changed("it changed since it was listed")

    def text(self, tag: int) -> str:
        """The value as text without padding, or ""."""
        return self.raw.get(tag, b"").decode("latin-1").strip(" \0")

    def words(self, tag: int) -> str:
        """A text for people, in the file's own character set, without signs that a terminal would obey."""
        return words(self.raw.get(tag, b""), self.texts(a.CHARACTERS))

    def texts(self, tag: int) -> tuple[str, ...]:
        """The values as text, one for each backslash and one more."""
        text = self.text(tag)
        return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The values of a decimal or integer string; empty where one of them is no finite number."""
        return numbers(self.raw.get(tag, b""))

    def number(self, tag: int) -> float | None:
        """The first value of a decimal or integer string."""
        values = numbers(self.raw.get(tag, b""))
        return values[0] if values else None

    def short(self, tag: int, *, signed: bool = False) -> int | None:
        """A 16-bit integer."""
        value = self.raw.get(tag, b"")
        return int.from_bytes(value[:2], "little" if self.little else "big", signed=signed) if len(value) >= 2 else None

    def doubles(self, tag: int) -> tuple[float, ...]:
        """The values of a 64-bit float attribute (FD)."""
        value = self.raw.get(tag, b"")
        return unpack(f"{'<' if self.little else '>'}{len(value) // 8}d", value[: len(value) // 8 * 8])


def stamp(descriptor: int | str) -> Stamp:
    """When a file was last written, in ns, and how many bytes it has."""
    status = os.stat(descriptor)  # noqa: PTH116 - an open file, too
    return status.st_mtime_ns, status.st_size


@lru_cache(1 << 14)
def numbers(value: bytes) -> tuple[float, ...]:
    """The values of a decimal or integer string; empty where one of them is no finite number."""
    try:
        values = tuple(map(float, value.strip(b" \0").split(b"\\"))) if value else ()
    except ValueError:
        return ()
    return values if all(map(math.isfinite, values)) else ()


def read_header(path: Path | str, templates: Templates | None = None) -> Header:
    """Read what `path` says about its image.

    Parameters
    ----------
    templates
        What is remembered of the files before, which this one is likely to resemble.

    Raises
    ------
    SeriesError
        It is not DICOM, is cut off, contradicts itself, or asks for more memory than is sane.
    """
    file = str(path)
    try:
        found = None if templates is None else _likened(file, templates)
        return _read(file, templates) if found is None else found
    except Broken as fault:
        raise SeriesError(f"{Path(file).name} cannot be read: {fault}; copy it again from its source.") from fault
    except MemoryError as fault:
        raise SeriesError(f"{Path(file).name} does not fit into memory: close other programs.") from fault
    except OSError as fault:
        raise SeriesError(
            f"{Path(file).name} cannot be opened ({fault.strerror}): check that it may be read."
        ) from fault


def _likened(file: str, templates: Templates) -> Header | None:
    """Read a file by its likeness to those before, if it is like them."""
    descriptor = os.open(file, _OPEN)
    try:
        found = templates.match(os.read(descriptor, templates.read))
        written = stamp(descriptor)
    finally:
        os.close(descriptor)
    if found is None:
        return None
    return Header(file, found.syntax, found.raw, found.pixels, written[1], stamp=written)


def _read(file: str, templates: Templates | None) -> Header:
    with FileIO(file) as stream:
        written = stamp(stream.fileno())
        size = written[1]
        data = stream.read(FIRST_READ) or b""
        start = data_set(file, data)
        while True:
            seen: list[Element] = []
            try:
                syntax, start = transfer_syntax(data, start if data[128:132] != b"DICM" else 132, size, seen)
                if syntax == a.DEFLATED:
                    return replace(_inflated(file, stream, start), stamp=written)
                little = syntax != a.BIG_ENDIAN
                raw, pixels = walk(data, start, size, explicit=syntax != a.IMPLICIT, little=little, seen=seen)
            except Short:
                if len(data) >= min(size, LONGEST):
                    raise Broken(f"its header is longer than {LONGEST >> 20} MiB") from None
                data += stream.read(len(data) * 7) or b""
                continue
            except Doubt:
                return replace(_ask_pydicom(file, size), stamp=written)
            groups = tuple(element for element in seen if element[0] in (a.SHARED_GROUPS, a.FRAME_GROUPS))
            if templates is not None and pixels is not None and little and not groups:
                templates.learn(data, seen, Match(syntax, raw, pixels))
            return Header(file, syntax, raw, pixels, size, little, groups, stamp=written)


def inflate(file: FileIO, start: int) -> bytes:
    """The inflated data set of a deflated file, unless it grows past `INFLATED`."""
    file.seek(start)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        packed = file.readall() or b""
        most = min(INFLATED, (64 << 20) + 100 * len(packed))
        data = stream.decompress(packed, most)
    except zlib.error as fault:
        raise Broken("its deflated data are damaged") from fault
    if stream.unconsumed_tail:
        raise Broken(f"its deflated data grow from {len(packed) >> 10} KiB past {most >> 20} MiB")
    return data


def inflated(path: Path) -> bytes:
    """The inflated data set of the deflated file at `path`."""
    with FileIO(path) as file:
        head = file.read(FIRST_READ) or b""
        return inflate(file, transfer_syntax(head, data_set(str(path), head), file.seek(0, 2), [])[1])


def _inflated(file: str, stream: FileIO, start: int) -> Header:
    data = inflate(stream, start)
    try:
        raw, pixels = walk(data, 0, len(data), explicit=True, little=True)
    except (Doubt, Short) as fault:
        raise Broken("its deflated data set is not in order") from fault
    return Header(file, a.DEFLATED, raw, pixels, len(data))


def _ask_pydicom(file: str, size: int) -> Header:
    """What pydicom makes of a file that the walker is not sure of."""
    try:
        with quiet():
            dataset = pydicom.dcmread(file, defer_size=1 << 16, force=True)
            syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", ""))
            implicit, little = dataset.original_encoding
            raw = {tag: _bytes(dataset, tag) for tag in a.WANTED if tag in dataset}
            pixels = next(
                (_place(dataset, tag) for tag in (a.PIXELS, a.FLOAT_PIXELS, a.DOUBLE_PIXELS) if tag in dataset), None
            )
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise Broken("its elements are not in order") from fault
    if not raw:
        raise Broken("no known attribute was found in it")
    if syntax in ("", a.IMPLICIT, a.EXPLICIT, a.BIG_ENDIAN):
        syntax = a.BIG_ENDIAN if little is False else a.IMPLICIT if implicit else a.EXPLICIT
    return Header(file, syntax, raw, pixels, size, little is not False)


def _bytes(dataset: pydicom.Dataset, tag: int) -> bytes:
    item = dataset.get_item(tag)
    return item.value or b"" if isinstance(item, RawDataElement) and tag not in a.SEQUENCES else b""


def _place(dataset: pydicom.Dataset, tag: int) -> Place:
    item = dataset.get_item(tag)
    if not isinstance(item, RawDataElement):
        raise Broken("its pixel data cannot be found")
    return Place(tag, item.value_tell, item.length, item.VR == "OW")

"""Part 10: a DICOM file as its header bytes and an explicit VR little-endian data set, which is what signatures cover."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_medadv.dicom.signature.elements import DEEPEST, LONG, Element, elements
from napari_medadv.errors import SignatureError

TRANSFER_SYNTAX = 0x00020010
LARGEST = 1 << 31
_ITEM, _ITEM_END, _SEQUENCE_END, _UNDEFINED = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class Part10:
    """A DICOM file taken apart.

    Attributes
    ----------
    head
        Preamble and file meta information, as they would be written before `body`.
    body
        The data set, explicit VR little endian (pixel data may be encapsulated).
    syntax
        The transfer syntax of `head` and `body`.
    members
        The elements of `body`, in order.
    rewritten
        The file's own transfer syntax where it was another one and `body` was made from it, or "".
    """

    head: bytes
    body: bytes
    syntax: str
    members: tuple[Element, ...]
    rewritten: str = ""

    def bytes_of(self, tag: int, members: tuple[Element, ...] | None = None) -> bytes:
        """The value of `tag`, or nothing where it is absent."""
        for element in self.members if members is None else members:
            if element.tag == tag:
                return self.body[element.value : element.stop]
        return b""

    def text(self, tag: int, members: tuple[Element, ...] | None = None) -> str:
        """The value of `tag` as text without its padding."""
        return self.bytes_of(tag, members).decode("latin-1").strip(" \0")

    def items(self, tag: int) -> tuple[tuple[Element, ...], ...]:
        """The items of the sequence `tag`."""
        return next((element.items for element in self.members if element.tag == tag), ())


def part10(data: bytes, *, copied: bool = True) -> Part10:
    """Take a DICOM file apart.

    Parameters
    ----------
    copied
        Whether `body` is a copy of the data set. Otherwise it may be the whole file, with members that point into it: for
        looking at, not for writing.

    Raises
    ------
    SignatureError
        This is no DICOM file, or it is damaged.
    """
    if data[128:132] != b"DICM":
        raise SignatureError("This is no DICOM Part 10 file (no DICM mark at byte 128): give a DICOM file.")
    meta = elements(data, 132, meta=True)
    if not meta:
        raise SignatureError("The file has no meta information, so its transfer syntax is unknown: write it again.")
    end = meta[-1].end
    syntax = next((data[m.value : m.stop].decode("latin-1").strip(" \0") for m in meta if m.tag == TRANSFER_SYNTAX), "")
    if syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        return _rewritten(data, syntax, end)
    if syntax == DeflatedExplicitVRLittleEndian:
        body = _inflated(data[end:])
    elif copied:
        body = data[end:]
    else:
        return Part10(data[:end], data, syntax, elements(data, end))
    return Part10(data[:end], body, syntax, elements(body))


def _inflated(data: bytes) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = engine.decompress(data, LARGEST)
    except zlib.error as error:
        raise SignatureError(f"The deflated data set cannot be inflated ({error}): the file is damaged.") from error
    if engine.unconsumed_tail or not engine.eof:
        raise SignatureError("The deflated data set is truncated or larger than 2 GiB: get the file again.")
    return body


def _rewritten(data: bytes, syntax: str, end: int) -> Part10:
    """The same data set in explicit VR little endian, as MAC streams of such files are calculated."""
    implicit = syntax == ImplicitVRLittleEndian
    _in_order(data, end, len(data), "<" if implicit else ">", implicit)
    buffer = io.BytesIO()
    try:
        source = pydicom.dcmread(io.BytesIO(data))
        dataset = source if syntax == ImplicitVRLittleEndian else _turned(source)
        dataset.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
        dataset.preamble = data[:128]
        pydicom.dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True, enforce_file_format=False)
        explicit = part10(buffer.getvalue())
    except (InvalidDicomError, ValueError, KeyError, AttributeError, TypeError, NotImplementedError, OSError) as error:
        # what pydicom raises on a data set that it cannot write in another syntax
        raise SignatureError(
            f"The file's transfer syntax {UID(syntax).name} cannot be turned into explicit VR little endian ({type(error).__name__}): "
            "transcode it first."
        ) from error
    return Part10(explicit.head, explicit.body, explicit.syntax, explicit.members, syntax)


def _turned(source: pydicom.Dataset) -> pydicom.Dataset:
    """A data set read as big endian that may be written as little endian: bulk data keep the file's byte order in pydicom."""
    dataset = pydicom.Dataset()
    dataset.file_meta = source.file_meta
    for element in source:
        dataset.add(element)
    width = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
    for element in dataset.iterall():
        if element.VR in width and isinstance(element.value, bytes):
            element.value = (
                np.frombuffer(element.value, f">u{width[element.VR]}").astype("<u" + str(width[element.VR])).tobytes()
            )
    return dataset


def _in_order(
    data: bytes, at: int, stop: int, order: str, implicit: bool, depth: int = 0, *, item: bool = False
) -> int:
    """Where the data set, or the `item` of undefined length, ends.

    Raises
    ------
    SignatureError
        The file is truncated, or holds an element twice or out of order. pydicom mends both in silence, and one of two equal
        elements would then be read by some and vouched for by nobody.
    """
    if depth > DEEPEST:
        raise SignatureError(f"Sequences are nested deeper than {DEEPEST}: the file is damaged.")
    last = -1
    while item or at < stop:
        tag, length = _head(data, at, stop, order)
        if item and tag == _ITEM_END:
            return at + 8
        if tag <= last:
            raise SignatureError(
                f"Element ({tag >> 16:04x},{tag & 0xFFFF:04x}) is repeated or out of order, so readers disagree on what the file "
                "holds: get it again from its source."
            )
        last, vr, at = tag, b"" if implicit else data[at + 4 : at + 6], at + 8
        if vr in LONG:
            if at + 4 > stop:
                raise _cut()
            (length,), at = struct.unpack_from(order + "L", data, at), at + 4
        elif not implicit:
            (length,) = struct.unpack_from(order + "H", data, at - 2)
        if length == _UNDEFINED or _sequence(data, at, tag, vr, implicit):
            at = _items_in_order(data, at, stop, length, order, implicit or vr == b"UN", depth + 1)
        else:
            at += length
        if at > stop:
            raise _cut()
    return at


def _items_in_order(data: bytes, at: int, stop: int, length: int, order: str, implicit: bool, depth: int) -> int:
    end = stop if length == _UNDEFINED else at + length
    if end > stop:
        raise _cut()
    while length == _UNDEFINED or at < end:
        tag, size = _head(data, at, end, order)
        at += 8
        if tag == _SEQUENCE_END and length == _UNDEFINED:
            return at
        if tag != _ITEM or (size != _UNDEFINED and at + size > end):
            raise SignatureError("A sequence holds something else than items: the file is damaged.")
        inner = end if size == _UNDEFINED else at + size
        at = _in_order(data, at, inner, order, implicit, depth, item=size == _UNDEFINED)
    return end


def _sequence(data: bytes, at: int, tag: int, vr: bytes, implicit: bool) -> bool:
    """Whether the value at `at` is a sequence: by its VR, by the dictionary, or, of unknown elements, by what it begins with."""
    if not implicit:
        return vr == b"SQ"
    return dictionary_VR(tag) == "SQ" if dictionary_has_tag(tag) else data[at : at + 4] == b"\xfe\xff\x00\xe0"


def _head(data: bytes, at: int, stop: int, order: str) -> tuple[int, int]:
    if at + 8 > stop:
        raise _cut()
    group, number, length = struct.unpack_from(order + "HHL", data, at)
    return group << 16 | number, length


def _cut() -> SignatureError:
    return SignatureError("The file ends inside a data element: it is truncated, get it again.")

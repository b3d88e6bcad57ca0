"""Canonical padding: text with at most the one pad character that an even length needs.

Trailing padding means nothing in DICOM (PS3.5 section 6.2), and dcmtk drops the surplus when it reads. A signature over surplus
padding would therefore look broken to dcmsign, so such values are trimmed before a file is signed.
"""

from __future__ import annotations

import struct

from napari_medadv.dicom.signature.elements import LONG, Element, elements
from napari_medadv.dicom.signature.part10 import Part10

_TEXT = frozenset(b"AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())


def canonical(file: Part10) -> Part10:
    """The same file with every text value padded canonically; itself where that is so already."""
    if not any(_surplus(file.body, member) for member in file.members):
        return file
    body = b"".join(_written(file.body, member) for member in file.members)
    return Part10(file.head, body, file.syntax, elements(body), file.rewritten)


def padded(vr: bytes, value: bytes) -> bytes:
    """A value with an even length, and no more padding than that."""
    if vr == b"UI":
        value = b"\\".join(part.strip(b" \0") for part in value.split(b"\\"))
    elif vr in _TEXT:
        value = value.rstrip(b" ")
    return value + (b"\0" if vr in (b"UI", b"OB", b"UN") else b" ") * (len(value) % 2)


def put(tag: int, vr: bytes, value: bytes) -> bytes:
    """One element of a defined length."""
    size = b"\0\0" + struct.pack("<L", len(value)) if vr in LONG else struct.pack("<H", len(value))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + size + value


def item(*members: bytes) -> bytes:
    """One sequence item of a defined length."""
    value = b"".join(members)
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value


def _surplus(data: bytes, element: Element) -> bool:
    if element.vr in _TEXT:
        value = data[element.value : element.stop]
        return padded(element.vr, value) != value
    return any(_surplus(data, member) for members in element.items for member in members)


def _written(data: bytes, element: Element) -> bytes:
    if not _surplus(data, element):
        return data[element.start : element.end]
    if element.vr == b"SQ":
        items = (item(*(_written(data, member) for member in members)) for members in element.items)
        return put(element.tag, b"SQ", b"".join(items))
    return put(element.tag, element.vr, padded(element.vr, data[element.value : element.stop]))

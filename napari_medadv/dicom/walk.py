"""Walk the elements of a DICOM header without interpreting them: which bytes hold what we want, and where pixels begin.

`Short` asks for more of the file, `Doubt` asks for pydicom, `Broken` says that no reader could be trusted with it.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from napari_medadv.dicom.attribute import DOUBLE_PIXELS, FLOAT_PIXELS, PIXELS, SEQUENCES, WANTED

UNDEFINED = 0xFFFFFFFF
DEEPEST = 32
"""Sequences nested deeper than this are refused."""
LONG_VR = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV"))
SHORT_VR = frozenset(text.encode() for text in "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_VALUES = WANTED - SEQUENCES
_PIXELS = frozenset((PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS))
_EXPLICIT = {True: Struct("<HH2sH").unpack_from, False: Struct(">HH2sH").unpack_from}
_IMPLICIT = {True: Struct("<HHL").unpack_from, False: Struct(">HHL").unpack_from}
_LENGTH = {True: Struct("<L").unpack_from, False: Struct(">L").unpack_from}


Element = tuple[int, int, int, int]
"""Tag, where the element starts, where its value starts, and where it ends, in bytes."""


class Place(NamedTuple):
    """Where the pixel data lie: tag, offset and declared length in bytes, and whether they are declared as 16-bit words (OW)."""

    tag: int
    offset: int
    length: int
    words: bool


class Short(Exception):
    """The header goes on behind the bytes at hand."""


class Doubt(Exception):
    """The bytes are unusual: let pydicom read them."""


class Broken(Exception):
    """The bytes contradict themselves or the file."""


def walk(
    data: bytes, start: int, size: int, *, explicit: bool, little: bool, seen: list[Element] | None = None
) -> tuple[dict[int, bytes], Place | None]:
    """Walk the top level of a data set.

    Parameters
    ----------
    data
        The beginning of the file.
    start
        Where the data set begins.
    size
        Length of the whole file in bytes: no element may end behind it.
    seen
        Takes every element that was walked over; the pixel data end where their value starts.

    Returns
    -------
    raw
        The undecoded value of each wanted attribute; empty bytes for a sequence that is there.
    pixels
        Where the pixel data are, or None.
    """
    raw: dict[int, bytes] = {}
    seen = [] if seen is None else seen
    element = _EXPLICIT[little] if explicit else _IMPLICIT[little]
    wanted, short, long_length = _VALUES, SHORT_VR if explicit else frozenset(), _LENGTH[little]
    position, last, tag, end = start, -1, 0, len(data)
    limit = end - 12
    while position <= limit:
        start = position
        if explicit:
            group, number, vr, length = element(data, position)
            tag = group << 16 | number
            if tag <= last:
                raise Doubt
            last = tag
            if vr in short:  # most elements: this branch is kept as short as it can be
                value = position + 8
                position = value + length
                seen.append((tag, start, value, position))
                if tag in WANTED and position <= end and tag in wanted:
                    raw[tag] = data[value:position]
                continue
            if vr not in LONG_VR:
                raise Doubt
            length = long_length(data, position + 8)[0]
            value = position + 12
        else:
            group, number, length = element(data, position)
            tag = group << 16 | number
            if tag <= last:
                raise Doubt
            last = tag
            value, vr = position + 8, b""
        if group == 0x7FE0 and tag in _PIXELS:
            seen.append((tag, start, value, value))
            return raw, Place(tag, value, length, vr == b"OW")
        if length == UNDEFINED:
            position = skip(data, value, size, explicit and vr != b"UN", little, 1)
        else:
            position = value + length
            if tag in wanted and position <= end:
                raw[tag] = data[value:position]
        seen.append((tag, start, value, position))
        if tag in SEQUENCES:
            raw[tag] = b""
    if position > size:
        raise Broken(f"its element ({tag >> 16:04x},{tag & 0xFFFF:04x}) ends behind the end of the file")
    if end < size:
        raise Short
    if position + 8 <= end:
        raise Doubt
    if any(data[position:end]):
        raise Broken("it ends in the middle of its header")
    return raw, None


def skip(data: bytes, position: int, size: int, explicit: bool, little: bool, depth: int) -> int:
    """Where the sequence of undefined length whose first item is at `position` ends."""
    if depth > DEEPEST:
        raise Broken(f"its sequences are nested more than {DEEPEST} deep")
    item, end = _IMPLICIT[little], len(data)
    while True:
        if position + 8 > end:
            raise Short if end < size else Broken("it ends in the middle of a sequence")
        group, number, length = item(data, position)
        position += 8
        if group != 0xFFFE:
            raise Doubt
        if number == 0xE0DD:
            return position
        position = (
            _skip_item(data, position, size, explicit, little, depth) if length == UNDEFINED else position + length
        )


def _skip_item(data: bytes, position: int, size: int, explicit: bool, little: bool, depth: int) -> int:
    """Where the item of undefined length whose first element is at `position` ends."""
    end = len(data)
    while True:
        if position + 8 > end:
            raise Short if end < size else Broken("it ends in the middle of a sequence")
        group, number, length = _IMPLICIT[little](data, position)
        if group == 0xFFFE and number == 0xE00D:
            return position + 8
        vr, value = b"", position + 8
        if explicit:
            group, number, vr, length = _EXPLICIT[little](data, position)
            if vr in LONG_VR:
                if position + 12 > end:
                    raise Short if end < size else Broken("it ends in the middle of a sequence")
                length = _LENGTH[little](data, position + 8)[0]
                value = position + 12
            elif vr not in SHORT_VR:
                raise Doubt
        if length == UNDEFINED:
            position = skip(data, value, size, explicit and vr != b"UN", little, depth + 1)
        else:
            position = value + length

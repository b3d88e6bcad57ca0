"""Elements: where every data element of an explicit VR little-endian data set lies in its bytes (PS3.5 section 7)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from napari_medadv.errors import SignatureError

LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
KNOWN = LONG | frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
PIXEL_DATA = 0x7FE00010
DEEPEST = 64
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Element:
    """One data element, as offsets into the bytes that it was found in.

    Attributes
    ----------
    tag, vr
        Group and element as one number; the two letters.
    start, value, stop, end
        Where the element, its value, the end of its value (without a delimiter) and the next element are.
    items
        The elements of every item of a sequence.
    fragments
        Start and end of every fragment of encapsulated pixel data, the offset table first; None where it is not encapsulated.
    """

    tag: int
    vr: bytes
    start: int
    value: int
    stop: int
    end: int
    items: tuple[tuple[Element, ...], ...] = ()
    fragments: tuple[tuple[int, int], ...] | None = None


def elements(data: bytes, start: int = 0, stop: int | None = None, *, meta: bool = False) -> tuple[Element, ...]:
    """The elements of the data set at `data[start:stop]`, or, for `meta`, those of group 2 at its beginning.

    Raises
    ------
    SignatureError
        The bytes are no well-formed explicit VR little-endian data set.
    """
    found, _ = _level(data, start, len(data) if stop is None else stop, 0, item=False, meta=meta)
    return found


def _broken(at: int, why: str) -> SignatureError:
    return SignatureError(
        f"The file's data elements cannot be followed at byte {at} ({why}): it is damaged or truncated."
    )


def _tag(data: bytes, at: int, stop: int) -> int:
    if at + 8 > stop:
        raise _broken(at, "the data end inside an element")
    group, element = struct.unpack_from("<HH", data, at)
    return int(group) << 16 | int(element)


def _level(
    data: bytes, at: int, stop: int, depth: int, *, item: bool, meta: bool = False
) -> tuple[tuple[Element, ...], int]:
    """The elements up to `stop`, or, inside an `item` of undefined length, up to and past its delimiter."""
    if depth > DEEPEST:
        raise _broken(at, f"sequences are nested deeper than {DEEPEST}")
    found: list[Element] = []
    last = -1
    while item or at < stop:
        tag = _tag(data, at, stop)
        if item and tag == _ITEM_END:
            return tuple(found), at + 8
        if meta and tag >> 16 != 2:
            break
        if tag <= last:
            raise _broken(at, f"element ({tag >> 16:04x},{tag & 0xFFFF:04x}) is repeated or out of order")
        last = tag
        element = _element(data, at, stop, tag, depth)
        found.append(element)
        at = element.end
    return tuple(found), at


def _element(data: bytes, at: int, stop: int, tag: int, depth: int) -> Element:
    vr = data[at + 4 : at + 6]
    if vr not in KNOWN:
        raise _broken(at, f"{vr!r} is no value representation")
    if vr not in LONG:
        value = at + 8
        length = int.from_bytes(data[at + 6 : at + 8], "little")
    elif at + 12 > stop:
        raise _broken(at, "the data end inside an element")
    else:
        value = at + 12
        length = int.from_bytes(data[at + 8 : at + 12], "little")
    if vr == b"SQ":
        items, ended, end = _items(data, value, stop, length, depth)
        return Element(tag, vr, at, value, ended, end, items)
    if length == _UNDEFINED:
        if tag != PIXEL_DATA or depth:
            raise _broken(at, "a length is undefined where none may be")
        fragments, ended, end = _fragments(data, value, stop)
        return Element(tag, vr, at, value, ended, end, fragments=fragments)
    if value + length > stop:
        raise _broken(at, f"a value of {length} bytes does not fit")
    return Element(tag, vr, at, value, value + length, value + length)


def _items(
    data: bytes, at: int, stop: int, length: int, depth: int
) -> tuple[tuple[tuple[Element, ...], ...], int, int]:
    """The items of a sequence, where their bytes end, and where the next element begins."""
    limit = stop if length == _UNDEFINED else at + length
    if limit > stop:
        raise _broken(at, f"a sequence of {length} bytes does not fit")
    found: list[tuple[Element, ...]] = []
    while length == _UNDEFINED or at < limit:
        tag = _tag(data, at, limit)
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if tag == _SEQUENCE_END and length == _UNDEFINED:
            return tuple(found), at, at + 8
        if tag != _ITEM or (size != _UNDEFINED and at + 8 + size > limit):
            raise _broken(at, "a sequence holds something else than items")
        inner = limit if size == _UNDEFINED else at + 8 + size
        members, at = _level(data, at + 8, inner, depth + 1, item=size == _UNDEFINED)
        found.append(members)
    return tuple(found), limit, limit


def _fragments(data: bytes, at: int, stop: int) -> tuple[tuple[tuple[int, int], ...], int, int]:
    found: list[tuple[int, int]] = []
    while True:
        tag = _tag(data, at, stop)
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if tag == _SEQUENCE_END:
            return tuple(found), at, at + 8
        if tag != _ITEM or at + 8 + size > stop:
            raise _broken(at, "encapsulated pixel data hold something else than fragments")
        found.append((at + 8, at + 8 + size))
        at += 8 + size

"""Templates: the headers that files of a series have in common, so that the next file is compared instead of walked.

What was the same in every file so far is compared at one blow, up to the length field of the next element that differed; that length is
read, and the comparison goes on behind the value. So every byte that `walk` goes by is looked at, and a file that matches is read as
`walk` would read it; any other is walked, and what differs in it is learnt.
"""

from __future__ import annotations

from typing import NamedTuple

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.walk import UNDEFINED, Broken, Doubt, Element, Place, skip

FIRST_READ = 16 << 10
"""Bytes that are read of a file of which nothing is known."""
LONGEST = 256 << 10
"""Headers longer than this many bytes are not remembered."""
MOST = 16
"""Templates that are remembered at a time."""
_PAGE = 4096
_SYNTAX = 0x00020010
_DATA_SET = 0x00030000


class Match(NamedTuple):
    """What a file that matches says: its transfer syntax, and what `walk` would return."""

    syntax: str
    raw: dict[int, bytes]
    pixels: Place


class Templates:
    """What is remembered during one scan, the last that matched first."""

    def __init__(self) -> None:
        self._known: list[_Template] = []

    @property
    def read(self) -> int:
        """Bytes to read of the next file."""
        return self._known[0].read if self._known else FIRST_READ

    def match(self, data: bytes) -> Match | None:
        """Read a file, given its beginning, by its likeness to those before; None if it must be walked."""
        if data[128:132] != b"DICM":
            return None
        for rank, each in enumerate(self._known):
            found = each.match(data, 132)
            if found is not None:
                if rank:
                    self._known.insert(0, self._known.pop(rank))
                return found
        return None

    def learn(self, data: bytes, seen: list[Element], found: Match) -> None:
        """Remember a file that was walked: every element from byte 132 on, the last of them the pixel data."""
        named = (data[value:end] for tag, _, value, end in seen if tag == _SYNTAX)
        if found.pixels.offset > LONGEST or found.syntax.encode() not in next(named, b""):
            return
        heads = tuple(_head(data, element, found.syntax) for element in seen)
        known = next((each for each in self._known if (each.syntax, each.heads) == (found.syntax, heads)), None)
        if known is None:
            known = _Template(found.syntax, heads)
            self._known = [known, *self._known[: MOST - 1]]
        known.learn(data, seen, found)


def _head(data: bytes, element: Element, syntax: str) -> bytes:
    """What must be the same in every file: all before the length field, and the whole of what decides how the rest is read."""
    tag, start, value, end = element
    if tag == _SYNTAX or (tag < _DATA_SET and value - start == 12):
        return data[start:end]
    return data[start : start + (4 if syntax == a.IMPLICIT and tag >= _DATA_SET else 6 if value - start == 8 else 8)]


class _Part(NamedTuple):
    """Bytes that must be there, and what to read behind them.

    Attributes
    ----------
    size
        Bytes of the reference.
    tag
        The element whose length field follows, or 0 where its value is not wanted.
    field
        Bytes of the length field.
    explicit
        Whether items of undefined length in the value name their value representations.
    """

    reference: bytes
    size: int
    tag: int
    field: int
    explicit: bool


class _Template:
    def __init__(self, syntax: str, heads: tuple[bytes, ...]) -> None:
        self.syntax = syntax
        self.heads = heads
        self.read = FIRST_READ
        self._values: list[bytes] = []
        self._varying = set[int]()
        self._parts: list[_Part] = []
        self._same: dict[int, bytes] = {}
        self._pixels = _Part(b"", 0, 0, 0, False)

    def learn(self, data: bytes, seen: list[Element], found: Match) -> None:
        """Note what differs in a file from those before."""
        values = [data[start:end] for _, start, _, end in seen[:-1]]
        if not self._values:
            self._values = values
        self._varying.update(index for index, value in enumerate(values) if value != self._values[index])
        parts, constant, last = list[_Part](), bytearray(), len(values)
        for index, (head, (tag, start, value, end)) in enumerate(zip(self.heads, seen, strict=True)):
            if index not in self._varying and index != last:
                constant += data[start:end]
                continue
            reference = bytes(constant + head)
            wanted = tag if tag in found.raw and tag not in a.SEQUENCES else 0
            explicit = len(head) == 8 and head[4:6] != b"UN"
            parts.append(_Part(reference, len(reference), wanted, value - start - len(head), explicit))
            constant.clear()
        self._pixels = parts.pop()._replace(tag=found.pixels.tag)
        self._parts = parts
        varying = {part.tag for part in parts}
        self._same = {tag: value for tag, value in found.raw.items() if tag not in varying}
        self.read = -(-(found.pixels.offset + 256) // _PAGE) * _PAGE

    def match(self, data: bytes, position: int) -> Match | None:
        """What `walk` would make of `data` from `position` on, where it goes as in the files before."""
        raw = self._same.copy()
        for reference, long, tag, field, explicit in self._parts:
            head = position + long
            if data[position:head] != reference:
                return None
            value = head + field
            length = int.from_bytes(data[head:value], "little")
            if length != UNDEFINED:
                position = value + length
                if tag:
                    raw[tag] = data[value:position]
                continue
            if tag:
                return None
            try:
                position = skip(data, value, len(data), explicit, True, 1)
            except (Broken, Doubt):
                return None
        reference, long, tag, field, _ = self._pixels
        head = position + long
        value = head + field
        if data[position:head] != reference or head + 8 > len(data):
            return None
        return Match(
            self.syntax,
            raw,
            Place(tag, value, int.from_bytes(data[head:value], "little"), reference[-4:-2] == b"OW"),
        )

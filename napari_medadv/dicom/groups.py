"""Groups: the functional groups of a multi-frame file read without building data sets (PS3.3 C.7.6.16).

The items of a file have nearly the same shape: the bytes that tell tags, representations and lengths of one are compared at one blow with
those of items before, and only the values are taken out. Whatever is unusual is a `Doubt`: pydicom reads it then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple

from napari_medadv.dicom.walk import LONG_VR, SHORT_VR, UNDEFINED, Doubt

Trail = tuple[int, ...]
"""Tags from the sequence in an item of functional groups down to an attribute."""
Values = dict[Trail, bytes]
DEEPEST = 8
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_END = 0xFFFEE0DD
_HEAD = Struct("<HHL").unpack_from
_SHORT = Struct("<2sH").unpack_from
_LONG = Struct("<L").unpack_from
_SHAPES = 64
"""Shapes that are remembered of items of one length."""


class _Shape(NamedTuple):
    """What items have in common: where their bytes of structure lie and what they are, and where the wanted values lie."""

    structure: Struct
    expected: tuple[bytes, ...]
    values: Struct
    paths: tuple[Trail, ...]


class Groups:
    """Reads the items of sequences of functional groups.

    Parameters
    ----------
    wanted
        The attributes to read, with the value representation that each is expected in.
    explicit
        Whether elements name their value representations.
    """

    def __init__(self, wanted: Mapping[Trail, bytes], *, explicit: bool) -> None:
        self._wanted = wanted
        self._above = {path[:depth] for path in wanted for depth in range(1, len(path))}
        self._explicit = explicit
        self._known: dict[int, list[_Shape]] = {}

    def read(self, data: bytes, start: int, end: int) -> Iterator[Values]:
        """The wanted values of each item of the sequence whose items lie from `start` to `end`.

        Raises
        ------
        Doubt
            It is unusual.
        """
        position = start
        while position < end:
            tag, length = _head(data, position, end)
            position += 8
            if tag == _END and position == end:
                return
            if tag != _ITEM or (length != UNDEFINED and position + length > end):
                raise Doubt
            known = self._known.setdefault(length, [])
            for rank, shape in enumerate(known):
                if position + shape.structure.size <= end and (
                    shape.structure.unpack_from(data, position) == shape.expected
                ):
                    if rank:
                        known.insert(0, known.pop(rank))
                    break
            else:
                shape = self._learn(data, position, end, length)
                known.insert(0, shape)
                del known[_SHAPES:]
            yield dict(zip(shape.paths, shape.values.unpack_from(data, position), strict=True))
            position += shape.structure.size

    def _learn(self, data: bytes, position: int, end: int, length: int) -> _Shape:
        """Walk one item, whose elements start at `position`."""
        found: list[tuple[Trail, int, int]] = []
        last = self._elements(data, position, end, length, (), found, 0)
        structure, expected, values, paths = "<", list[bytes](), "<", list[Trail]()
        head = taken = position
        for path, value, after in found:
            structure += f"{value - head}s{after - value}x"
            expected.append(data[head:value])
            head = after
            if path in self._wanted:
                values += f"{value - taken}x{after - value}s"
                paths.append(path)
                taken = after
        structure += f"{last - head}s"
        expected.append(data[head:last])
        return _Shape(Struct(structure), tuple(expected), Struct(values), tuple(paths))

    def _elements(
        self,
        data: bytes,
        position: int,
        end: int,
        length: int,
        above: Trail,
        found: list[tuple[Trail, int, int]],
        depth: int,
    ) -> int:
        """Walk the elements of one item and note where the value of each lies; where the item ends."""
        stop = end if length == UNDEFINED else position + length
        last = -1
        while position < stop:
            tag, size = _head(data, position, stop)
            if tag == _ITEM_END and length == UNDEFINED:
                return position + 8
            if tag <= last or tag >> 16 >= 0xFFFE:
                raise Doubt
            last, path, value, vr = tag, (*above, tag), position + 8, b""
            if self._explicit:
                vr, size = _SHORT(data, position + 4)
                if vr in LONG_VR:
                    if value + 4 > stop:
                        raise Doubt
                    size, value = _LONG(data, value)[0], value + 4
                elif vr not in SHORT_VR:
                    raise Doubt
                if vr != self._wanted.get(path, b"SQ" if path in self._above else vr):
                    raise Doubt
            if path in self._above or size == UNDEFINED:
                if vr not in (b"", b"SQ"):
                    raise Doubt
                position = self._items(data, value, stop, size, path, found, depth)
                if path in self._wanted:  # that it is there, for what is in it was gone through already
                    found.append((path, position, position))
            else:
                position = value + size
                found.append((path, value, position))
        if position != stop or length == UNDEFINED:
            raise Doubt
        return position

    def _items(
        self,
        data: bytes,
        position: int,
        end: int,
        length: int,
        path: Trail,
        found: list[tuple[Trail, int, int]],
        depth: int,
    ) -> int:
        """Walk the items of a sequence within an item; only what is in the first counts as found at `path`."""
        stop = end if length == UNDEFINED else position + length
        if depth > DEEPEST or stop > end:
            raise Doubt
        above = path
        while position < stop:
            tag, size = _head(data, position, stop)
            position += 8
            if tag == _END and length == UNDEFINED:
                return position
            if tag != _ITEM or (size != UNDEFINED and position + size > stop):
                raise Doubt
            position = self._elements(data, position, stop, size, above, found, depth + 1)
            above = (*path, -1)
        if position != stop or length == UNDEFINED:
            raise Doubt
        return position


def _head(data: bytes, position: int, end: int) -> tuple[int, int]:
    if position + 8 > end:
        raise Doubt
    group, number, length = _HEAD(data, position)
    return group << 16 | number, length

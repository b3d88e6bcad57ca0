"""Csa: the private header of Siemens MR images (element "SIEMENS CSA HEADER", 10), by name to texts, in both of its versions.

The second begins with "SV10". The first does not, and those who describe it differ in how long an item is (GDCM: its second number; SPM and
NiBabel: its first, less how many items the first tag has) and in how it is filled up to four bytes; so each is tried, and that one holds which
finds the marks, 77 or 205, where they belong in most tags.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error, unpack_from

Texts = dict[str, tuple[str, ...]]
Length = Callable[[tuple[int, ...], int], int]
"""From the four numbers of an item, and how many items the first tag has."""
_MOST = 1000
_MARKS = (77, 205)
_READINGS: tuple[tuple[Length, int], ...] = (
    (lambda numbers, _: numbers[1], 3),
    (lambda numbers, first: numbers[0] - first, 3),
    (lambda numbers, first: numbers[0] - first, 4),
)
"""How long an item is, and what is added before it is cut to fours: 4 where a whole four is filled up, too."""


def csa(data: bytes) -> Texts:
    """The values of a CSA header by name; nothing of what comes after damage."""
    if data[:4] == b"SV10":
        return _read(data, 8, *_READINGS[0], marked=False)
    return max((_read(data, 0, *reading, marked=True) for reading in _READINGS), key=len)


def _read(data: bytes, position: int, length_of: Length, added: int, *, marked: bool) -> Texts:
    """The tags from their count at `position` on; where they should be marked, up to the first that is not."""
    found: Texts = {}
    first: int | None = None
    try:
        count, position = unpack_from("<I", data, position)[0], position + 8
        for _ in range(min(count, _MOST)):
            name, items, mark = unpack_from("<64s12xii", data, position)
            if marked and mark not in _MARKS:
                return found
            first = items if first is None else first
            position += 84
            values = []
            for _ in range(min(items, _MOST)):
                numbers = unpack_from("<4i", data, position)
                length = length_of(numbers, first)
                position += 16
                if not 0 <= length <= len(data) - position or (marked and numbers[2] not in _MARKS):
                    return found
                values.append(data[position : position + length].split(b"\0")[0].decode("latin-1").strip())
                position += (length + added) // 4 * 4
            found[name.split(b"\0")[0].decode("latin-1")] = tuple(value for value in values if value)
    except error:
        pass
    return found

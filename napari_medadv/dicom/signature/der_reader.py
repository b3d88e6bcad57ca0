"""DER: as much of ITU-T X.690 as a certified timestamp needs."""

from __future__ import annotations

from dataclasses import dataclass

from napari_medadv.errors import SignatureError

INTEGER, OCTETS, OBJECT, SEQUENCE, SET, GENERALIZED_TIME = 0x02, 0x04, 0x06, 0x30, 0x31, 0x18


@dataclass(frozen=True, slots=True)
class Der:
    """One value: its tag, its content, and both with the length between them."""

    tag: int
    content: bytes
    whole: bytes

    @property
    def parts(self) -> tuple[Der, ...]:
        """The values inside."""
        found, at = [], 0
        while at < len(self.content):
            part = read_der(self.content[at:])
            found.append(part)
            at += len(part.whole)
        return tuple(found)

    def part(self, index: int, tag: int) -> Der:
        """The value inside at a place, which must have this tag.

        Raises
        ------
        SignatureError
            There is none.
        """
        parts = self.parts
        if index >= len(parts) or parts[index].tag != tag:
            raise SignatureError("It is cut off, or no time-stamp token: ask whoever signed for a good copy.")
        return parts[index]


def read_der(data: bytes) -> Der:
    """The first value of `data`; what follows is left out.

    Raises
    ------
    SignatureError
        It is cut off, or no DER.
    """
    head = 2
    length = data[1] if len(data) > 1 else -1
    if length > 0x80:
        head += length & 0x7F
        length = int.from_bytes(data[2:head], "big")
    if length < 0 or length == 0x80 or head + length > len(data) or data[0] & 0x1F == 0x1F:
        raise SignatureError("It is cut off, or no time-stamp token: ask whoever signed for a good copy.")
    return Der(data[0], data[head : head + length], data[: head + length])

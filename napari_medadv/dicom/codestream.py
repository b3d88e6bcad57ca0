"""Codestream: the size that a compressed frame itself declares, read before a decoder may ask for memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codestream:
    """What the header of a JPEG, JPEG-LS or JPEG 2000 frame says.

    Attributes
    ----------
    precision
        Bits per sample.
    signed
        Whether samples are signed (JPEG 2000 only).
    transformed
        Whether the codec itself turned RGB into luminance and chrominance (JPEG 2000), or the Adobe marker says so (JPEG);
        None where nothing is said.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    signed: bool = False
    transformed: bool | None = None


def codestream(data: bytes) -> Codestream | None:
    """Read the header of a compressed frame; None where it has none that is known (RLE) or it is damaged."""
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    return _jpeg2000(data, start) if start >= 0 else None


def _jpeg(data: bytes) -> Codestream | None:
    position, adobe = 2, None
    while position + 10 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xEE and data[position + 4 : position + 9] == b"Adobe" and length >= 14:
            adobe = data[position + 15] != 0
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns = (int.from_bytes(data[position + at : position + at + 2], "big") for at in (5, 7))
            return Codestream(rows, columns, data[position + 9], data[position + 4], transformed=adobe)
        if marker == 0xDA or length < 2:
            return None
        position += 2 + length
    return None


def _jpeg2000(data: bytes, start: int) -> Codestream | None:
    size = data[start + 4 : start + 4 + int.from_bytes(data[start + 4 : start + 6], "big")]
    if len(size) < 39:
        return None
    right, low, left, top = (int.from_bytes(size[at : at + 4], "big") for at in (4, 8, 12, 16))
    depth = size[38]
    style = data.find(b"\xff\x52", start, start + 65536)
    transformed = style >= 0 and data[style + 8 : style + 9] == b"\x01"
    samples = int.from_bytes(size[36:38], "big")
    return Codestream(low - top, right - left, samples, (depth & 0x7F) + 1, bool(depth & 0x80), transformed)

"""Fragments: where each frame of an encapsulated pixel data element lies in its file (PS3.5 A.4)."""

from __future__ import annotations

from io import FileIO
from struct import unpack

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.walk import Broken

Fragment = tuple[int, int]
"""Offset in the file and length, in bytes."""
MOST = 1 << 18
"""Pixel data in more fragments than this are refused."""
_STARTS = (b"\xff\xd8", b"\xff\x4f")


def frame_table(file: FileIO, header: Header, frames: int) -> list[list[Fragment]]:
    """The fragments of each frame, without reading them.

    Raises
    ------
    Broken
        Fragments leave the file, or cannot be told apart into frames.
    """
    if header.pixels is None:
        raise Broken("it has no pixel data")
    table, fragments = _items(file, header.pixels.offset, header.size)
    if not fragments:
        raise Broken("it holds no compressed frame")
    first = fragments[0][0] - 8
    if frames == 1:
        return [fragments]
    if a.OFFSETS in header:
        starts = np.frombuffer(header.raw[a.OFFSETS], "<u8").tolist()
    elif len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    elif len(table) == 4 * frames:
        starts = np.frombuffer(table, "<u4").tolist()
    else:
        starts = [offset - 8 - first for offset, length in fragments if _begins(file, offset, length)]
    if len(starts) != frames:
        raise Broken(f"its {len(fragments)} fragments cannot be told apart into {frames} frames")
    return _grouped(fragments, [first + start for start in starts])


def _items(file: FileIO, offset: int, size: int) -> tuple[bytes, list[Fragment]]:
    """The basic offset table, and every fragment after it."""
    fragments: list[Fragment] = []
    table: bytes | None = None
    position = offset
    while position + 8 <= size:
        file.seek(position)
        tag, length = unpack("<LL", file.read(8) or b"")
        position += 8
        if tag == 0xE0DDFFFE:
            break
        if tag != 0xE000FFFE or position + length > size:
            raise Broken("its compressed pixel data are cut off or damaged")
        if table is None:
            table = file.read(length) or b""
        else:
            fragments.append((position, length))
        if len(fragments) > MOST:
            raise Broken(f"its pixel data are in more than {MOST} fragments")
        position += length
    return table or b"", fragments


def _begins(file: FileIO, offset: int, length: int) -> bool:
    """Whether a fragment begins with the mark that begins a JPEG or JPEG 2000 frame."""
    file.seek(offset)
    return (file.read(2) or b"") in _STARTS if length >= 2 else False


def _grouped(fragments: list[Fragment], starts: list[int]) -> list[list[Fragment]]:
    frames: list[list[Fragment]] = []
    borders = set(starts)
    for offset, length in fragments:
        if offset - 8 in borders:
            frames.append([])
        if not frames:
            raise Broken("its offset table does not point at its fragments")
        frames[-1].append((offset, length))
    if len(frames) != len(starts):
        raise Broken("its offset table does not point at its fragments")
    return frames

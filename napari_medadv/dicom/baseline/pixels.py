"""Pixels: what a file's stored values are, whatever transfer syntax carries them, as digests of the whole and of blocks."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.layout import Layout, layout
from napari_medadv.dicom.pixels import read_pixels
from napari_medadv.volume import Array

BLOCK = 32
_SHORT = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A block of one frame: rows and columns, the first inside and the last outside."""

    frame: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    def __str__(self) -> str:
        rows, columns = self.rows, self.columns
        return f"rows {rows[0]} to {rows[1] - 1}, columns {columns[0]} to {columns[1] - 1}"


@dataclass(frozen=True, slots=True)
class PixelDigest:
    """The stored values of one file.

    Attributes
    ----------
    sha256
        Salted, of the decoded stored integers, little endian, with their type and shape: SHA-256 over the SHA-256 of every block.
    shape
        (frame, y, x, channel).
    blocks
        A short salted digest of every block of 32 x 32, base64.
    """

    sha256: str
    shape: tuple[int, int, int, int]
    blocks: str

    def differing(self, other: PixelDigest) -> tuple[Place, ...]:
        """The blocks that differ; empty where the shapes do."""
        if self.shape != other.shape or len(self.blocks) != len(other.blocks):
            return ()
        mine, theirs = (np.frombuffer(b64decode(d.blocks), np.uint8).reshape(-1, _SHORT) for d in (self, other))
        down, across = -(-self.shape[1] // BLOCK), -(-self.shape[2] // BLOCK)
        found = []
        for index in np.flatnonzero((mine != theirs).any(axis=1)).tolist():
            frame, rest = divmod(index, down * across)
            row, column = (BLOCK * part for part in divmod(rest, across))
            rows = (row, min(row + BLOCK, self.shape[1]))
            found.append(Place(frame, rows, (column, min(column + BLOCK, self.shape[2]))))
        return tuple(found)


def stored(path: Path, data: bytes | None = None) -> Array:
    """The stored integers of a file, decoded: (frame, y, x, channel).

    Parameters
    ----------
    data
        The bytes of the file, where they were read already: plain pixels are then looked at there, without a copy.

    Raises
    ------
    SeriesError
        It has no pixels, or they cannot be decoded.
    """
    header = read_header(path)
    found = layout(header)
    if data is not None and _plain(header, found):
        assert header.pixels is not None
        count = found.frames * found.rows * found.columns
        if header.pixels.offset + count * found.dtype.itemsize <= len(data):
            seen = np.frombuffer(data, found.dtype.newbyteorder("<"), count, header.pixels.offset)
            return seen.reshape(found.frames, *found.shape, 1)
    out = np.empty((found.frames, *found.shape), found.dtype)
    read_pixels(header, found, out)
    return out if out.ndim == 4 else out[..., None]


def _plain(header: Header, found: Layout) -> bool:
    """Whether the bytes of the file are the stored integers: uncompressed, grey, no spare bits."""
    whole = found.stored == found.allocated == 8 * found.dtype.itemsize and found.dtype == found.stored_dtype
    return whole and header.syntax in (a.IMPLICIT, a.EXPLICIT) and not found.colour and not found.palette


def digest(voxels: Array, salt: bytes) -> PixelDigest:
    """The digest of stored integers (frame, y, x, channel), in one pass: that of the whole is made of those of the blocks."""
    frames, rows, columns, channels = voxels.shape
    plain = np.asarray(voxels, voxels.dtype.newbyteorder("<"))
    down, across = -(-rows // BLOCK), -(-columns // BLOCK)
    if rows % BLOCK or columns % BLOCK:
        plain = np.pad(plain, ((0, 0), (0, down * BLOCK - rows), (0, across * BLOCK - columns), (0, 0)))
    tiled = plain.reshape(frames, down, BLOCK, across, BLOCK, channels).swapaxes(2, 3)
    size = BLOCK * BLOCK * channels * plain.dtype.itemsize
    kind = f"{plain.dtype.kind}{plain.dtype.itemsize} {voxels.shape} "
    start = sha256(salt + kind.encode())
    whole, short = start.copy(), bytearray()
    for frame in tiled:
        flat = np.ascontiguousarray(frame).data.cast("B")
        found = []
        for at in range(0, len(flat), size):
            one = start.copy()
            one.update(flat[at : at + size])
            found.append(one.digest())
        whole.update(b"".join(found))
        short += b"".join([full[:_SHORT] for full in found])
    return PixelDigest(whole.hexdigest(), (frames, rows, columns, channels), b64encode(short).decode())

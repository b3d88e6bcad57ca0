"""Pixels: the stored integers of one file, put straight into their place in the volume."""

from __future__ import annotations

from io import FileIO
from threading import Lock

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.codec import Undecodable, Unread, decode_frame
from napari_medadv.dicom.colour import Palette, arranged, rgb
from napari_medadv.dicom.fragments import Fragment, frame_table
from napari_medadv.dicom.header import Changed, Header, inflated
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.walk import Broken
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Array

_CONVERTED = frozenset((a.JPEG_BASELINE, a.JPEG_EXTENDED))
"""Transfer syntaxes whose decoder gives RGB already."""


def read_pixels(header: Header, layout: Layout, out: Array) -> None:
    """Read every frame of one file into `out`: layout.dtype, (frame, y, x) or (frame, y, x, channel), C-contiguous.

    Raises
    ------
    SeriesError
        The file is cut off or its compressed pixels are damaged.
    """
    frames = Frames(header, layout)
    for index in range(layout.frames):
        frames.read(index, out[index])


class Frames:
    """The frames of one file, each of which can be read by itself, from several threads.

    Raises
    ------
    SeriesError
        The compressed frames cannot be told apart.
    """

    def __init__(self, header: Header, layout: Layout) -> None:
        self.header = header
        self.layout = layout
        self._blob = b""
        self._table: list[list[Fragment]] = []
        self._mosaic: Array | None = None
        self._lock = Lock()
        self._palette = Palette(header) if layout.palette else None
        try:
            if header.syntax == a.DEFLATED:
                header.check(header.file)
                self._blob = inflated(header.path)
            elif header.syntax not in a.NATIVE:
                with FileIO(header.file) as file:
                    header.check(file.fileno())
                    self._table = frame_table(file, header, layout.frames)
        except Broken as fault:
            raise _undecodable(header, fault) from fault
        except OSError as fault:
            raise SeriesError(f"{header.path.name} cannot be read ({fault.strerror}): check its disk.") from fault

    @property
    def plain(self) -> bool:
        """Whether frames that follow one another lie in the file as they do in a volume."""
        header, layout = self.header, self.layout
        native = header.syntax in a.NATIVE and header.little and not self._blob
        return native and layout.samples == 1 and layout.allocated > 1 and layout.tiles == 1 and self._palette is None

    def read(self, index: int, out: Array) -> None:
        """Read one frame into `out`: layout.dtype, (y, x) or (y, x, channel), C-contiguous; several from it on, where they are `plain`.

        Raises
        ------
        SeriesError
            The file is cut off or the compressed frame is damaged.
        """
        header, layout = self.header, self.layout
        try:
            if self._palette is not None:
                indices = np.empty((layout.rows, layout.columns), layout.stored_dtype)
                self._read(index, indices)
                _clean(indices, layout)
                out[...] = self._palette(indices)
                return
            if layout.tiles > 1:
                self._read_tile(index, out)
                return
            self._read(index, out)
        except (Undecodable, Broken) as fault:
            raise _undecodable(header, fault) from fault
        except MemoryError as fault:
            raise SeriesError(
                f"A frame of {header.path.name} does not fit into memory: close other programs."
            ) from fault
        except OSError as fault:
            raise SeriesError(f"{header.path.name} cannot be read ({fault.strerror}): check its disk.") from fault
        if not layout.colour:
            _clean(out, layout)

    def _read_tile(self, index: int, out: Array) -> None:
        """One tile of a mosaic, which is decoded once."""
        layout = self.layout
        with self._lock:
            if self._mosaic is None:
                whole = np.empty(layout.stored_shape, layout.dtype)
                self._read(0, whole)
                _clean(whole, layout)
                self._mosaic = whole
        out[...] = tile(self._mosaic, layout, index)

    def _read(self, index: int, out: Array) -> None:
        header, layout = self.header, self.layout
        if header.syntax not in a.NATIVE:
            decoded = decode_frame(header.syntax, self._compressed(index), layout, out if layout.samples == 1 else None)
            if np.may_share_memory(decoded, out):
                return
            if header.syntax not in _CONVERTED:
                decoded = rgb(decoded, layout)
            out[...] = decoded.view(out.dtype) if decoded.dtype.itemsize == out.dtype.itemsize else decoded
        elif layout.allocated == 1:
            out[...] = self._bits(index).reshape(out.shape)
        elif self._blob or layout.samples == 3 or not header.little:
            values = self._native(index)
            out[...] = rgb(arranged(values, layout), layout) if layout.samples == 3 else values.reshape(out.shape)
        else:
            self._read_into(index * layout.frame_bytes, out.data.cast("B"))

    def _read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view` from the pixel data, from `offset` on."""
        assert self.header.pixels is not None
        with FileIO(self.header.file) as file:
            self.header.check(file.fileno())
            file.seek(self.header.pixels.offset + offset)
            done = 0
            while done < len(view):
                got = file.readinto(view[done:])
                if not got:
                    raise Broken(f"it ends after {done} of {len(view)} bytes of a frame")
                done += got

    def _bits(self, index: int) -> Array:
        """The pixels of one frame of bits, 0 or 1: uint8, (n,); a frame need not begin with a byte."""
        assert self.header.pixels is not None
        count = self.layout.rows * self.layout.columns
        start, end = index * count // 8, ((index + 1) * count + 7) // 8
        swapped = not self.header.little and self.header.pixels.words
        if swapped:  # 16-bit words of a big endian file: bytes lie in pairs the other way round
            start, end = start & ~1, min((end + 1) & ~1, self.header.pixels.length)
        if self._blob:
            data = np.frombuffer(self._blob, np.uint8, end - start, self.header.pixels.offset + start)
        else:
            data = np.empty(end - start, np.uint8)
            self._read_into(start, data.data)
        if swapped:
            data = np.resize(data, len(data) + len(data) % 2).reshape(-1, 2)[:, ::-1].reshape(-1)
        first = index * count - 8 * start
        return np.unpackbits(data, bitorder="little")[first : first + count]

    def _native(self, index: int) -> Array:
        """The values of one uncompressed frame in the order of the file: layout.stored_dtype, (n,)."""
        header, layout = self.header, self.layout
        assert header.pixels is not None
        count = layout.frame_bytes
        start = index * count
        swapped = not header.little and layout.allocated == 8 and header.pixels.words
        if swapped:  # bytes in 16-bit words of a big endian file lie in pairs the other way round
            start, end = start & ~1, (start + count + 1) & ~1
        else:
            end = start + count
        if self._blob:
            data = np.frombuffer(self._blob, np.uint8, end - start, header.pixels.offset + start)
        else:
            data = np.empty(end - start, np.uint8)
            self._read_into(start, data.data)
        if swapped:
            data = data.reshape(-1, 2)[:, ::-1].reshape(-1)[index * count - start :][:count]
        values: Array = data.view(layout.stored_dtype.newbyteorder("<" if header.little else ">"))
        return values

    def _compressed(self, index: int) -> bytes:
        with FileIO(self.header.file) as file:
            self.header.check(file.fileno())
            parts = []
            for offset, length in self._table[index]:
                file.seek(offset)
                parts.append(file.read(length) or b"")
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _undecodable(header: Header, fault: Undecodable | Broken) -> SeriesError:
    advice = "copy it again from its source"
    if isinstance(fault, Changed):
        advice = "open its folder again"
    elif isinstance(fault, Unread):
        advice = "have it sent in another one (not compressed, JPEG-LS or JPEG 2000, say)"
    return SeriesError(f"{header.path.name} cannot be decoded: {fault}; {advice}.")


def tile(whole: Array, layout: Layout, index: int) -> Array:
    """The view of one tile of a mosaic (y, x): tiles follow one another along the rows."""
    rows, columns = layout.shape[:2]
    down, right = divmod(index, layout.across)
    view: Array = whole[down * rows : (down + 1) * rows, right * columns : (right + 1) * columns]
    return view


def _clean(out: Array, layout: Layout) -> None:
    """Keep Bits Stored only, and extend their sign: other bits are no part of the pixel (old overlays, junk)."""
    spare = layout.allocated - layout.stored
    if not spare or layout.real:
        return
    if not layout.signed and layout.high == layout.stored - 1:
        np.bitwise_and(out, out.dtype.type((1 << layout.stored) - 1), out=out)
        return
    np.left_shift(out, layout.allocated - 1 - layout.high, out=out)
    np.right_shift(out, spare, out=out)

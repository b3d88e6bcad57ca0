"""Pixels: the stored integers of one file, put straight into their place in the volume."""

from __future__ import annotations

from io import FileIO

import numpy as np
from pydicom.encaps import generate_frames
from pydicom.pixels.processing import convert_color_space

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.codec import Undecodable, decode_frame
from napari_medadv.dicom.header import Header, inflated
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.walk import Broken
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Array


def read_pixels(header: Header, layout: Layout, out: Array) -> None:
    """Read every frame of one file into `out`: layout.dtype, (frame, y, x) or (frame, y, x, channel), C-contiguous.

    Raises
    ------
    SeriesError
        The file is cut off or its compressed pixels are damaged.
    """
    try:
        if header.syntax not in a.NATIVE:
            _decode(header, layout, out)
        elif header.syntax == a.DEFLATED or layout.colour or not header.little:
            out[...] = _arranged(np.frombuffer(_native(header, layout), np.uint8), header, layout, out)
        else:
            _read_into(header, out.data.cast("B"))
    except (Undecodable, Broken) as fault:
        raise SeriesError(f"{header.path.name} cannot be decoded: {fault}; copy it again from its source.") from fault
    except OSError as fault:
        raise SeriesError(f"{header.path.name} cannot be read ({fault.strerror}): check its disk.") from fault
    if not layout.colour:
        _clean(out, layout)


def _read_into(header: Header, view: memoryview) -> None:
    assert header.pixels is not None
    with FileIO(header.path) as file:
        file.seek(header.pixels.offset)
        done = 0
        while done < len(view):
            got = file.readinto(view[done:])
            if not got:
                raise Broken(f"it ends after {done} of {len(view)} bytes of pixels")
            done += got


def _native(header: Header, layout: Layout) -> bytes | bytearray:
    """The bytes of uncompressed pixels, as they lie in the file."""
    assert header.pixels is not None
    count, offset = layout.frame_bytes * layout.frames, header.pixels.offset
    if header.syntax == a.DEFLATED:
        return inflated(header.path)[offset : offset + count]
    buffer = bytearray(count + (count % 2 if offset + count < header.size else 0))
    _read_into(header, memoryview(buffer))
    return buffer


def _arranged(data: Array, header: Header, layout: Layout, out: Array) -> Array:
    """Bytes as they lie in the file, uint8 (n,), as values in the order of `out`."""
    if not header.little and layout.allocated == 8 and header.pixels is not None and header.pixels.words:
        data = data[: len(data) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
    data = data[: layout.frame_bytes * layout.frames]
    if not layout.colour:
        return data.view(layout.dtype.newbyteorder("<" if header.little else ">")).reshape(out.shape)
    if layout.photometric == "YBR_FULL_422":
        pairs = data.reshape(-1, 4)  # two luminances, then the chrominances that they share
        pixels = np.stack([pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]], axis=1)
    else:
        pixels = data
    if layout.planar and layout.photometric != "YBR_FULL_422":
        pixels = np.moveaxis(pixels.reshape(layout.frames, 3, layout.rows, layout.columns), 1, -1)
    return _rgb(pixels.reshape(out.shape), layout)


def _rgb(pixels: Array, layout: Layout) -> Array:
    """RGB of (frame, y, x, channel) in the photometric interpretation of `layout`."""
    if layout.photometric not in ("YBR_FULL", "YBR_FULL_422"):
        return pixels
    converted: Array = convert_color_space(pixels, "YBR_FULL", "RGB")
    return converted


def _decode(header: Header, layout: Layout, out: Array) -> None:
    assert header.pixels is not None
    with FileIO(header.path) as file:
        file.seek(header.pixels.offset)
        data = file.readall() or b""
    try:
        frames = list(generate_frames(data, number_of_frames=layout.frames))
    except Exception as fault:  # pydicom raises nearly everything on damaged fragments
        raise Undecodable("its compressed frames cannot be told apart") from fault
    if len(frames) < layout.frames:
        raise Undecodable(f"{len(frames)} of {layout.frames} compressed frames are there")
    for place, frame in zip(out, frames, strict=False):
        decoded = decode_frame(header.syntax, frame, layout)
        if header.syntax not in _CONVERTED:
            decoded = _rgb(decoded, layout)
        same = decoded.dtype.itemsize == layout.dtype.itemsize
        place[...] = decoded.view(layout.dtype) if same else decoded


_CONVERTED = frozenset((a.JPEG_BASELINE, a.JPEG_EXTENDED))
"""Transfer syntaxes whose decoder gives RGB already."""


def _clean(out: Array, layout: Layout) -> None:
    """Keep Bits Stored only, and extend their sign: other bits are no part of the pixel (old overlays, junk)."""
    spare = layout.allocated - layout.stored
    if not spare:
        return
    if not layout.signed and layout.high == layout.stored - 1:
        np.bitwise_and(out, layout.dtype.type((1 << layout.stored) - 1), out=out)
        return
    np.left_shift(out, layout.allocated - 1 - layout.high, out=out)
    np.right_shift(out, spare, out=out)

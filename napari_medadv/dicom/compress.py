"""Compress: frames in the lossless transfer syntax of their source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import imagecodecs
import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.codec import Undecodable, decode_frame
from napari_medadv.dicom.layout import Layout
from napari_medadv.volume import Array


def compress(syntax: str, frame: Array, stored: int | None = None) -> bytes:
    """One frame of grey values, (y, x), or of RGB, (y, x, channel), in a lossless transfer syntax.

    Parameters
    ----------
    syntax, frame
        The transfer syntax and the pixels.
    stored
        Bits Stored, which JPEG 2000 says of grey values too: SimpleITK turns MONOCHROME1 round by what the codestream
        says. All the bits of the frame's type by default.

    Raises
    ------
    KeyError
        The transfer syntax is not one of `LOSSLESS`.
    """
    frame = np.ascontiguousarray(frame)
    if syntax == a.JPEG2000_LOSSLESS and frame.ndim == 2 and frame.dtype.kind == "u":
        data = _jpeg2000(frame, stored)
    else:
        data = _ENCODERS[syntax](frame)
    return data + b"\0" * (len(data) % 2)


def compressed(syntax: str, frames: Array, layout: Layout) -> list[bytes] | None:
    """Frames, (frame, y, x) or (frame, y, x, channel), in the syntax of their source; None where that gives not every integer back."""
    if syntax not in LOSSLESS or layout.allocated in (1, 32):
        return None
    if syntax == a.HTJ2K_LOSSLESS and layout.photometric == "MONOCHROME1" and layout.stored < layout.allocated:
        return None  # the encoder cannot say Bits Stored, by which SimpleITK turns such values round
    if layout.colour:  # whatever the source stored, a derived image is RGB
        layout = replace(layout, samples=3, allocated=8 * layout.dtype.itemsize, photometric="RGB", planar=False)
    found = []
    for frame in frames:
        try:
            data = compress(syntax, frame, layout.stored)
            again = decode_frame(syntax, data, layout)
        except (Undecodable, RuntimeError, ValueError):
            return None
        if again.dtype.itemsize != frame.dtype.itemsize or not np.array_equal(again.view(frame.dtype), frame):
            return None
        found.append(data)
    return found


def _unsigned(frame: Array) -> Array:
    return frame.view(f"u{frame.dtype.itemsize}")


def _jpeg_lossless(frame: Array) -> bytes:
    if frame.ndim == 3:
        return bytes(imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"))
    return bytes(imagecodecs.ljpeg_encode(_unsigned(frame), bitspersample=8 * frame.dtype.itemsize))


def _jpeg_ls(frame: Array) -> bytes:
    return bytes(imagecodecs.jpegls_encode(_unsigned(frame)))


def _jpeg2000(frame: Array, stored: int | None = None) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            frame, codecformat="j2k", reversible=True, level=0, mct=frame.ndim == 3, bitspersample=stored
        )
    )


def _htj2k(frame: Array) -> bytes:
    return bytes(imagecodecs.htj2k_encode(frame))


def _rle(frame: Array) -> bytes:
    """The channels apart, and of each value the bytes, the upper ones first; each row packed by itself (PS3.5 annex G)."""
    width = frame.dtype.itemsize
    values = frame.view(np.uint8).reshape(*frame.shape[:2], -1, width)
    planes = []
    for channel in range(values.shape[2]):
        for place in reversed(range(width)):
            plane = np.ascontiguousarray(values[:, :, channel, place])
            packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane)
            planes.append(packed + b"\0" * (len(packed) % 2))
    header = np.zeros(16, "<u4")
    header[0] = len(planes)
    header[1 : len(planes) + 1] = 64 + np.cumsum([0, *map(len, planes[:-1])])
    return header.tobytes() + b"".join(planes)


_ENCODERS: dict[str, Callable[[Array], bytes]] = {
    a.RLE: _rle,
    a.JPEG_LOSSLESS_SV1: _jpeg_lossless,
    a.JPEG_LS: _jpeg_ls,
    a.JPEG2000_LOSSLESS: _jpeg2000,
    a.HTJ2K_LOSSLESS: _htj2k,
}
LOSSLESS = frozenset(_ENCODERS)
"""Transfer syntaxes in which a derived series can be written."""
REVERSIBLE = frozenset((a.JPEG2000_LOSSLESS, a.HTJ2K_LOSSLESS))
"""Those of them that write colours through the reversible colour transform of JPEG 2000 (YBR_RCT); the others write RGB."""

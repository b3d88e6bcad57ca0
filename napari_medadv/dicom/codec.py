"""Codec: one compressed frame to stored integers, by decoders that release Python's lock (imagecodecs)."""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np
from pydicom.uid import UID

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.codestream import Codestream, codestream
from napari_medadv.dicom.layout import Layout
from napari_medadv.volume import Array

Decoder = Callable[[bytes, Layout, Codestream | None, Array | None], Array]
"""The last argument is where the frame may be put, if the decoder can: unsigned, in the width of its samples."""


class Undecodable(Exception):
    """A compressed frame that is damaged, or is not what its header says; the text ends a sentence."""


class Unread(Undecodable):
    """A transfer syntax that has no decoder here."""


def decode_frame(syntax: str, data: bytes, layout: Layout, out: Array | None = None) -> Array:
    """Decode one frame: stored integers (y, x) or, in RGB, (y, x, channel).

    Parameters
    ----------
    out
        Where the frame may be put, to save a copy: layout.dtype, C-contiguous. What is returned lies there or elsewhere.
    """
    decoder = DECODERS.get(syntax)
    if decoder is None:
        name = UID(syntax).name
        raise Unread(f"its transfer syntax {syntax if name == syntax else f'{name} ({syntax})'} is not read")
    stream = codestream(data)
    if stream is None and decoder is not _rle:
        raise Undecodable("its compressed data have no readable header")
    if stream is not None and (stream.rows, stream.columns, stream.samples) != (
        layout.rows,
        layout.columns,
        layout.samples,
    ):
        raise Undecodable(
            f"its compressed frame is {stream.rows} x {stream.columns} x {stream.samples} where its header says "
            f"{layout.rows} x {layout.columns} x {layout.samples}"
        )
    try:
        frame = decoder(data, layout, stream, _unsigned(out, stream))
    except (Undecodable, MemoryError):
        raise
    except Exception as fault:  # each codec raises its own kind
        raise Undecodable("its compressed data are damaged") from fault
    if frame.shape != layout.stored_shape:
        raise Undecodable(f"its frame decodes to {frame.shape} where {layout.stored_shape} is expected")
    return frame


def _unsigned(out: Array | None, stream: Codestream | None) -> Array | None:
    if out is None or stream is None or stream.samples != 1 or out.itemsize != (1 if stream.precision <= 8 else 2):
        return None
    return out.view(f"u{out.itemsize}")


def _jpeg2000(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    return _resign(imagecodecs.jpeg2k_decode(data, numthreads=1), layout, stream)


def _htj2k(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    if not _ends(data):  # the decoder would fill it up
        raise Undecodable("its compressed frame is cut off")
    return _resign(imagecodecs.htj2k_decode(data), layout, stream)


def _ends(data: bytes) -> bool:
    """Whether the mark is there that ends a JPEG or JPEG 2000 frame, but for padding."""
    return data[-4:].rstrip(b"\0").endswith(b"\xff\xd9")


def _resign(frame: Array, layout: Layout, stream: Codestream | None) -> Array:
    """Give samples the sign that Pixel Representation says, where the codestream says another."""
    if stream is not None and layout.signed and not stream.signed and stream.precision < layout.allocated:
        spare = layout.allocated - stream.precision
        frame = np.right_shift(np.left_shift(frame.astype(layout.stored_dtype), spare), spare)
    return frame


def _jpeg_ls(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    frame: Array = imagecodecs.jpegls_decode(data, out=out)
    return frame


def _jpeg_lossless(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    if layout.colour:
        return np.ascontiguousarray(imagecodecs.jpegsof3_decode(data))
    if _ends(data):
        frame: Array = imagecodecs.jpeg8_decode(data, out=out)
        return frame
    # libjpeg-turbo is the fastest, but fills up a frame that is cut off: the other decoder refuses it
    return np.ascontiguousarray(imagecodecs.ljpeg_decode(data))


def _jpeg(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    if not layout.colour:
        frame: Array = imagecodecs.jpeg8_decode(data)
        return frame
    adobe = None if stream is None else stream.transformed
    luminance = layout.photometric != "RGB" if adobe is None else adobe
    frame = imagecodecs.jpeg8_decode(data, colorspace="YCBCR" if luminance else "RGB", outcolorspace="RGB")
    return frame


def _rle(data: bytes, layout: Layout, stream: Codestream | None, out: Array | None) -> Array:
    offsets = np.frombuffer(data[:64], "<u4")
    planes = layout.samples * (layout.allocated // 8)
    if len(offsets) < 16 or offsets[0] != planes:
        raise Undecodable(f"its RLE frame has {offsets[0] if len(offsets) else 0} segments where {planes} are expected")
    ends = [*offsets[2 : planes + 1].tolist(), len(data)]
    width = layout.allocated // 8
    frame = np.empty(layout.stored_shape, layout.stored_dtype.newbyteorder("<"))
    places = frame.view(np.uint8).reshape(-1, layout.samples, width)[..., ::-1]
    plane = np.empty(layout.rows * layout.columns, np.uint8)
    for index, (start, end) in enumerate(zip(offsets[1 : planes + 1].tolist(), ends, strict=True)):
        if not 64 <= start < end <= len(data):
            raise Undecodable("its RLE segments lie outside of the frame")
        if (end - start) * 64 < len(plane) - 128:
            raise Undecodable("its RLE segments are too short for the frame")
        if len(imagecodecs.packbits_decode(data[start:end], out=plane.data)) < len(plane):
            raise Undecodable("its RLE segments are too short for the frame")
        places[:, index // width, index % width] = plane
    return frame


DECODERS: dict[str, Decoder] = {
    a.RLE: _rle,
    a.JPEG_BASELINE: _jpeg,
    a.JPEG_EXTENDED: _jpeg,
    a.JPEG_LOSSLESS: _jpeg_lossless,
    a.JPEG_LOSSLESS_SV1: _jpeg_lossless,
    a.JPEG_LS: _jpeg_ls,
    a.JPEG_LS_NEAR: _jpeg_ls,
    a.JPEG2000_LOSSLESS: _jpeg2000,
    a.JPEG2000: _jpeg2000,
    a.HTJ2K_LOSSLESS: _htj2k,
    a.HTJ2K_RPCL: _htj2k,
    a.HTJ2K: _htj2k,
}

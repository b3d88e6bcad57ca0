"""Layout: how the pixels of one file are stored (PS3.3 C.7.6.3, Image Pixel)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.walk import UNDEFINED, Place
from napari_medadv.errors import SeriesError

Numbers = np.dtype[np.signedinteger] | np.dtype[np.unsignedinteger] | np.dtype[np.floating]
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_SAYS = (
    a.SOP_CLASS,
    a.ROWS,
    a.COLUMNS,
    a.SAMPLES,
    a.FRAMES,
    a.BITS_ALLOCATED,
    a.BITS_STORED,
    a.HIGH_BIT,
    a.SIGNED,
    a.PLANAR,
    a.PHOTOMETRIC,
)
"""Every attribute that tells a layout: files that say the same share one."""
_MOST = 256


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows, columns, channels and bits of the pixels of one file, checked against each other and against the file.

    Attributes
    ----------
    allocated, stored, high
        Bits Allocated, Bits Stored, High Bit.
    planar
        Whether the colour channels lie one after the other (Planar Configuration 1).
    real
        Whether pixels are floating point numbers (Float Pixel Data, Double Float Pixel Data).
    tiles
        How many slices lie side by side in the one image of a Siemens mosaic; 1 for anything else.
    """

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    real: bool = False
    tiles: int = 1

    @property
    def images(self) -> int:
        """How many slices the file holds."""
        return self.frames * self.tiles

    @property
    def across(self) -> int:
        """How many tiles lie side by side, and one below the other."""
        return math.ceil(math.sqrt(self.tiles))

    @property
    def palette(self) -> bool:
        """Whether the file stores indices of colours."""
        return self.photometric == "PALETTE COLOR"

    @property
    def colour(self) -> bool:
        """Whether a pixel is read as three channels."""
        return self.samples == 3 or self.palette

    @property
    def stored_dtype(self) -> Numbers:
        """The type that holds one value in the file; a byte for one bit."""
        kind = "f" if self.real else "i" if self.signed else "u"
        return np.dtype(f"{kind}{max(1, self.allocated // 8)}")

    @property
    def dtype(self) -> Numbers:
        """The type that holds one value in a volume: a palette's indices become levels of 8 bits."""
        return np.dtype("u1") if self.palette else self.stored_dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """(y, x) or (y, x, channel) of one slice."""
        rows, columns = self.rows // self.across, self.columns // self.across
        return (rows, columns, 3) if self.colour else (rows, columns)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """(y, x) or (y, x, channel) of one frame in the file."""
        return (self.rows, self.columns, 3) if self.samples == 3 else (self.rows, self.columns)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame that is not compressed."""
        if self.photometric == "YBR_FULL_422":
            return self.rows * self.columns * 2
        return (self.rows * self.columns * self.samples * self.allocated + 7) // 8

    @property
    def pixel_bytes(self) -> int:
        """Bytes of all frames that are not compressed; those of one bit follow one another without a gap."""
        if self.allocated == 1:
            return (self.rows * self.columns * self.frames + 7) // 8
        return self.frame_bytes * self.frames

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest integer that a volume can hold; for floating point, those that each type holds exactly."""
        if self.real:
            return -(1 << 24), 1 << 24
        if self.palette:
            return 0, 255
        return (-(1 << self.stored - 1), (1 << self.stored - 1) - 1) if self.signed else (0, (1 << self.stored) - 1)


_KNOWN: dict[tuple[bool | int | bytes | Place | None, ...], Layout] = {}


def layout(header: Header) -> Layout:
    """Read how the pixels are stored.

    Raises
    ------
    SeriesError
        There are no pixels, they are of a kind that is not read, or the file is too short for them.
    """
    said = (header.little, header.syntax in a.NATIVE, header.pixels and header.pixels.tag, *map(header.raw.get, _SAYS))
    found = _KNOWN.get(said)
    if found is None:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        found = _KNOWN[said] = _read(header)
    _check_length(header, found)
    return found


def _read(header: Header) -> Layout:
    name = header.path.name
    if header.text(a.SOP_CLASS) == a.WHOLE_SLIDE:
        raise SeriesError(f"{name} is a whole-slide image, whose frames are tiles: choose a radiological series.")
    if header.pixels is None:
        raise SeriesError(f"{name} holds no pixel data: choose an image series.")
    rows, columns, allocated = header.short(a.ROWS), header.short(a.COLUMNS), header.short(a.BITS_ALLOCATED)
    if not rows or not columns or not allocated:
        raise SeriesError(f"{name} does not say how large its image is: Rows, Columns and Bits Allocated are expected.")
    samples = header.short(a.SAMPLES) or 1
    stored = header.short(a.BITS_STORED) or allocated
    high = header.short(a.HIGH_BIT)
    photometric = header.text(a.PHOTOMETRIC) or "MONOCHROME2"
    if not photometric.replace("_", "").replace(" ", "").isalnum() or len(photometric) > 16:
        raise SeriesError(f"{name} has a damaged photometric interpretation: copy it again from its source.")
    found = Layout(
        rows,
        columns,
        samples,
        max(1, int(header.number(a.FRAMES) or 1)),
        allocated,
        stored,
        stored - 1 if high is None else high,
        header.short(a.SIGNED) == 1,
        header.short(a.PLANAR) == 1,
        photometric,
    )
    if header.pixels.tag != a.PIXELS:
        return _real(header, found)
    if allocated == 1 and (samples, stored, found.high, found.signed) == (1, 1, 0, False) and photometric in GREY:
        if header.syntax not in a.NATIVE:
            raise SeriesError(f"{name} stores single bits, compressed: bits that are not compressed are expected.")
        return found
    if allocated not in (8, 16, 32) or not stored - 1 <= found.high < allocated or stored > allocated:
        raise SeriesError(
            f"{name} stores {stored} bits (high bit {found.high}) in {allocated}: 1, 8, 16 or 32 allocated bits are expected."
        )
    if samples != (3 if photometric in COLOUR else 1) or photometric not in (*GREY, *COLOUR, "PALETTE COLOR"):
        raise SeriesError(
            f"{name} has {samples} channels as {photometric}: grey values, a palette, RGB or YBR are expected."
        )
    if samples > 1 and header.syntax in a.NATIVE and header.short(a.PLANAR) not in (None, 0, 1):
        raise SeriesError(
            f"{name} has Planar Configuration {header.short(a.PLANAR)}: 0 (colours by pixel) or 1 (by plane) is expected."
        )
    if photometric == "YBR_FULL_422" and columns % 2 and header.syntax in a.NATIVE:
        raise SeriesError(f"{name} has {columns} columns as YBR_FULL_422: an even number of columns is expected.")
    if photometric.startswith("YBR") and allocated != 8:
        raise SeriesError(f"{name} has {allocated}-bit colours as {photometric}: 8 bits, or RGB, are expected.")
    return found


def _real(header: Header, found: Layout) -> Layout:
    """The layout of floating point pixels."""
    assert header.pixels is not None
    bits = 32 if header.pixels.tag == a.FLOAT_PIXELS else 64
    if found.samples != 1 or found.allocated != bits or header.syntax not in a.NATIVE:
        raise SeriesError(
            f"{header.path.name} stores floating point pixels of {found.allocated} bits in {found.samples} channels: "
            f"one channel of {bits} bits, not compressed, is expected."
        )
    return replace(found, stored=bits, high=bits - 1, real=True, photometric="MONOCHROME2", signed=False)


def _check_length(header: Header, found: Layout) -> None:
    """Refuse a file that ends before its pixels do, before any memory is asked for."""
    assert header.pixels is not None
    offset, length = header.pixels.offset, header.pixels.length
    there = header.size - offset
    if header.syntax in a.NATIVE:
        needed = found.pixel_bytes
        if length == UNDEFINED or length < needed:
            raise SeriesError(
                f"{header.path.name} declares {0 if length == UNDEFINED else length} bytes of pixels where its size needs {needed}: "
                "copy it again from its source."
            )
        if length - needed >= max(found.frame_bytes, 2):  # less is padding
            raise SeriesError(
                f"{header.path.name} declares {found.frames} frame{'s' if found.frames > 1 else ''} and holds the pixels of "
                f"{length // found.frame_bytes}: correct its Number of Frames, or copy it again from its source."
            )
        if there < needed or length > there + 1:
            raise SeriesError(
                f"{header.path.name} is cut off: {there} of {max(needed, length)} bytes of pixels are there; copy it again from its source."
            )
    elif there < 16 or found.rows * found.columns * found.frames > there * 4000:
        raise SeriesError(
            f"{header.path.name} is cut off: {there} bytes cannot hold {found.frames} compressed frames of "
            f"{found.rows} x {found.columns}; copy it again from its source."
        )

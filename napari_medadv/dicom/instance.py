"""Instance and Slice: one file of a series, and one frame of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.functional import frame_headers
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.layout import Layout, layout
from napari_medadv.dicom.mosaic import mosaic, tile_headers
from napari_medadv.dicom.template import Templates
from napari_medadv.errors import SeriesError

_PART = 1 << 20
"""Bytes that are compared at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One file of a series.

    Attributes
    ----------
    sop_uid
        SOP Instance UID.
    layout
        How the pixels are stored, or None where `fault` says why they cannot be read.
    """

    sop_uid: str
    header: Header = field(repr=False)
    layout: Layout | None = field(repr=False)
    fault: str = ""

    @property
    def path(self) -> Path:
        """The file."""
        return self.header.path

    @property
    def number(self) -> int | None:
        """Instance Number, for people; never used for order."""
        number = self.header.number(a.INSTANCE_NUMBER)
        return None if number is None else int(number)

    @property
    def position(self) -> tuple[float, float, float] | None:
        """Image Position (Patient) of the file in mm, or None."""
        position = self.header.numbers(a.POSITION)
        return (position[0], position[1], position[2]) if len(position) == 3 else None


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One image in a stack: a file, or one frame of a multi-frame file.

    Attributes
    ----------
    frame
        Which frame of the file, from 0.
    header
        The file's attributes with those of the frame's functional groups in their place.
    """

    instance: Instance
    frame: int
    header: Header = field(repr=False)


def read_instance(path: Path | str, templates: Templates | None = None) -> Instance:
    """Read one file's header; a file whose pixels are at fault stays, so that its slice is missed.

    Raises
    ------
    SeriesError
        It is no DICOM image at all.
    """
    header = read_header(path, templates)
    if header.pixels is None and a.ROWS not in header:
        raise SeriesError(f"{header.path.name} is a DICOM file without an image: choose an image series.")
    found, fault = None, ""
    try:
        found = tiled(header, layout(header))
    except SeriesError as refusal:
        fault = str(refusal)
    return Instance(header.text(a.SOP_INSTANCE), header, found, fault)


def same_pixels(one: Instance, other: Instance) -> bool:
    """Whether the pixel data of two files are the same, byte by byte; files that cannot be read are not."""
    first, second = one.header.pixels, other.header.pixels
    if first is None or second is None or one.header.syntax != other.header.syntax or first.length != second.length:
        return first is None and second is None
    try:
        with FileIO(one.header.file) as here, FileIO(other.header.file) as there:
            if one.header.syntax != a.DEFLATED:  # of which all is compared, for the places are those of inflated bytes
                here.seek(first.offset)
                there.seek(second.offset)
            while True:
                part = here.read(_PART)
                if part != there.read(_PART):
                    return False
                if not part:
                    return True
    except OSError:
        return False


def tiled(header: Header, found: Layout) -> Layout:
    """The layout with the tiles of a Siemens mosaic told apart, where its own attributes say how."""
    if not whole(header, found) or found.frames > 1 or found.colour or found.allocated == 1:
        return found
    try:
        return replace(found, tiles=mosaic(header, found).tiles)
    except SeriesError:
        return found


def whole(header: Header, found: Layout) -> bool:
    """Whether a file is a mosaic whose tiles were not told apart."""
    kind = header.raw.get(a.IMAGE_TYPE, b"")
    return b"MOSAIC" in kind and found.tiles == 1 and "MOSAIC" in header.texts(a.IMAGE_TYPE)


def slices(instance: Instance) -> tuple[Slice, ...]:
    """The images of one file.

    Raises
    ------
    SeriesError
        The functional groups of a multi-frame file cannot be read.
    """
    header = instance.header
    if instance.layout is not None and instance.layout.tiles > 1:
        tiles = tile_headers(header, instance.layout, mosaic(header, instance.layout))
        return tuple(Slice(instance, index, each) for index, each in enumerate(tiles))
    if instance.layout is None or (instance.layout.frames == 1 and a.FRAME_GROUPS not in header):
        return (Slice(instance, 0, header),)
    return tuple(
        Slice(instance, index, each) for index, each in enumerate(frame_headers(header, instance.layout.frames))
    )

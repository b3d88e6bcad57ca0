"""Mosaic: one Siemens image whose tiles are the slices of a volume, and where each of them lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pydicom

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.csa import csa
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How many tiles hold slices, and the way from a slice to the next.

    Attributes
    ----------
    normal
        Unit vector (L, P, S) from a tile's slice to the next tile's.
    distance
        Between them, in mm.
    """

    tiles: int
    normal: tuple[float, float, float]
    distance: float


def mosaic(header: Header, layout: Layout) -> Mosaic:
    """What a mosaic's own attributes say of its tiles.

    Raises
    ------
    SeriesError
        One of them is missing, or they contradict the image.
    """
    count, normal = _private(header)
    distance = header.number(a.BETWEEN_SLICES)
    missing = [
        name
        for name, value in (
            ("the number of its tiles", count),
            ("the direction of its slices", normal),
            ("the distance between its slices", distance),
            ("its position", header.numbers(a.POSITION)),
            ("its orientation", header.numbers(a.ORIENTATION)),
            ("its pixel spacing", header.numbers(a.PIXEL_SPACING)),
        )
        if not value
    ]
    if missing or not count or not distance:
        raise SeriesError(f"{' and '.join(missing)} cannot be read")
    across = math.ceil(math.sqrt(count))
    if layout.rows % across or layout.columns % across:
        raise SeriesError(f"{layout.rows} x {layout.columns} pixels cannot hold {count} tiles in {across} rows")
    orientation = np.array(header.numbers(a.ORIENTATION))
    length = float(np.linalg.norm(normal))
    if (
        len(normal) != 3
        or not length
        or abs(np.dot(np.cross(orientation[:3], orientation[3:]), normal)) < 0.99 * length
    ):
        raise SeriesError("the direction of its slices is not across its rows and columns")
    unit = np.divide(normal, length).tolist()
    return Mosaic(count, (unit[0], unit[1], unit[2]), abs(distance))


def tile_headers(header: Header, layout: Layout, found: Mosaic) -> tuple[Header, ...]:
    """One header a tile: its size, and its position instead of the mosaic's, which is that of a slice as large as all tiles."""
    orientation = np.array(header.numbers(a.ORIENTATION))
    down, across = header.numbers(a.PIXEL_SPACING)
    rows, columns = layout.shape[:2]
    corner = np.array(header.numbers(a.POSITION))
    corner += (layout.columns - columns) / 2 * across * orientation[:3] + (layout.rows - rows) / 2 * down * orientation[
        3:
    ]
    order: Literal["little", "big"] = "little" if header.little else "big"
    size = {tag: count.to_bytes(2, order) for tag, count in ((a.ROWS, rows), (a.COLUMNS, columns))}
    made = []
    for index in range(found.tiles):
        place = corner + index * found.distance * np.array(found.normal)
        position = "\\".join(repr(float(each)) for each in place).encode()
        made.append(replace(header, raw=header.raw | size | {a.POSITION: position}))
    return tuple(made)


def _private(header: Header) -> tuple[int, tuple[float, ...]]:
    """How many tiles hold slices, and the direction from one to the next; 0 and () where the file does not say."""
    try:
        with quiet():
            dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
            private = _element(dataset, 0x0029, "SIEMENS CSA HEADER", 0x10)
            told = csa(private) if isinstance(private, bytes) else {}
            count = _element(dataset, 0x0019, "SIEMENS MR HEADER", 0x0A)
        texts = told.get("NumberOfImagesInMosaic", ())
        number = (
            int(texts[0]) if texts else int.from_bytes(count, "little") if isinstance(count, bytes) else int(count or 0)
        )
        normal = tuple(float(text) for text in told.get("SliceNormalVector", ()))
    except (Exception, RecursionError):  # pydicom raises nearly everything on a damaged file
        return 0, ()
    return max(0, number), normal if np.isfinite(normal).all() else ()


def _element(dataset: pydicom.Dataset, group: int, creator: str, number: int) -> bytes | int | None:
    try:
        found: bytes | int | None = dataset.private_block(group, creator)[number].value
    except KeyError:
        return None
    return found

"""Colour: every way in which DICOM stores colours, as RGB."""

from __future__ import annotations

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut, convert_color_space

from napari_medadv.dicom.header import Header
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Array


def rgb(pixels: Array, layout: Layout) -> Array:
    """RGB of pixels (y, x, channel) that are in the photometric interpretation of `layout`."""
    if layout.photometric not in ("YBR_FULL", "YBR_FULL_422"):
        return pixels
    converted: Array = convert_color_space(pixels, "YBR_FULL", "RGB")
    return converted


def arranged(data: Array, layout: Layout) -> Array:
    """Bytes of one uncompressed colour frame as they lie in the file, as pixels: layout.dtype, (y, x, channel)."""
    if layout.photometric == "YBR_FULL_422":
        pairs = data.reshape(-1, 4)  # two luminances, then the chrominances that they share
        return np.stack([pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]], axis=1).reshape(layout.shape)
    if layout.planar:
        return np.moveaxis(data.reshape(3, layout.rows, layout.columns), 0, -1)
    return data.reshape(layout.shape)


class Palette:
    """The colours of a palette image.

    Raises
    ------
    SeriesError
        The palette is missing or damaged.
    """

    def __init__(self, header: Header) -> None:
        self.name = header.path.name
        try:
            with quiet():
                self.dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
        except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
            raise SeriesError(f"{self.name} has a colour palette that cannot be read: copy it again.") from fault

    def __call__(self, indices: Array) -> Array:
        """Colours of `indices`, (y, x): uint8, (y, x, channel); the upper 8 bits where the palette has 16."""
        try:
            with quiet():
                colours: Array = apply_color_lut(indices, self.dataset)
        except Exception as fault:  # pydicom raises nearly everything on a damaged palette
            raise SeriesError(f"{self.name} has a colour palette that cannot be read: copy it again.") from fault
        return (colours >> 8 if colours.dtype.itemsize == 2 else colours)[..., :3].astype(np.uint8)

"""Thumbnail: the middle slice of a series, small, as it is displayed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon, QImage, QPainter, QPixmap

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import Series
from napari_medadv.errors import MedAdvError
from napari_medadv.progress import Progress
from napari_medadv.volume import Array, Volume

SIDE = 48


def thumbnail(series: Series, progress: Progress) -> Array | None:
    """The middle slice as grey or RGB: uint8, (y, x) or (y, x, 3), at most 48 wide and high; None where it cannot be read."""
    progress(0.0, "drawing thumbnails")
    middle = series.slices[len(series.slices) // 2]
    problems = tuple(each for each in series.problems if each.kind == "pixels")
    try:
        volume = decode(replace(series, instances=(middle.instance,), slices=(middle,), problems=problems))
    except (MedAdvError, ValueError):
        return None
    return grey(volume)


def grey(volume: Volume) -> Array:
    """The middle slice of a volume as it is displayed: uint8, (y, x) or (y, x, 3)."""
    middle = volume.shape[0] // 2
    step = max(1, max(volume.shape[1:]) // (2 * SIDE))
    values = volume.values(slice(middle, middle + 1))[0, ::step, ::step]
    if volume.colour:
        return np.ascontiguousarray(values.clip(0, 255).astype(np.uint8))
    shown = volume.window.grey(values)
    return np.ascontiguousarray(255 * (1 - shown if volume.photometric == "MONOCHROME1" else shown)).astype(np.uint8)


def picture(values: Array) -> QPixmap:
    """A thumbnail in the middle of a black square."""
    kind = QImage.Format.Format_Grayscale8 if values.ndim == 2 else QImage.Format.Format_RGB888
    image = QImage(values.tobytes(), values.shape[1], values.shape[0], values.strides[0], kind)
    canvas = blank()
    small = QPixmap.fromImage(image).scaled(
        SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    painter = QPainter(canvas)
    painter.drawPixmap((SIDE - small.width()) // 2, (SIDE - small.height()) // 2, small)
    painter.end()
    return canvas


def blank() -> QPixmap:
    """A black square."""
    canvas = QPixmap(SIDE, SIDE)
    canvas.fill(Qt.GlobalColor.black)
    return canvas


def icon(drawn: QPixmap) -> QIcon:
    """An icon that keeps its greys when it is selected."""
    found = QIcon(drawn)
    found.addPixmap(drawn, QIcon.Mode.Selected)
    return found

"""Colorbar: the colours of the heat map with numbers and unit."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_medadv.volume import Floats
from napari_medadv.widgets.ink import Ink

_HEIGHT = 14


class Colorbar(QWidget):
    """A horizontal bar from the lowest to the highest change shown, three numbers beneath."""

    def __init__(self) -> None:
        super().__init__()
        self._colors: Floats | None = None
        self._marks: tuple[str, str, str] = ("", "", "")
        self._ink: Ink | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(_HEIGHT + self.fontMetrics().height() + 6)
        self.setToolTip("Clear means no change, or one below the threshold.")

    def sizeHint(self) -> QSize:
        """As wide as the dock."""
        return QSize(200, _HEIGHT + self.fontMetrics().height() + 6)

    def show_colors(self, colors: Floats | None, marks: tuple[str, str, str], ink: Ink) -> None:
        """Paint RGBA colours, (n, 4), from left to right, with words at the left, middle and right."""
        self._colors, self._marks, self._ink = colors, marks, ink
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bar on a grey such as an image has, so that clear is seen as clear."""
        if self._colors is None or self._ink is None:
            return
        painter = QPainter(self)
        bar = QRectF(0, 0, self.width(), _HEIGHT)
        painter.fillRect(bar, QColor("#505050"))
        codes = np.ascontiguousarray((self._colors[None] * 255).astype(np.uint8))
        image = QImage(codes.tobytes(), codes.shape[1], 1, 4 * codes.shape[1], QImage.Format.Format_RGBA8888)
        painter.drawImage(bar, image)
        painter.setPen(QColor(self._ink.text))
        words = QRectF(0, _HEIGHT + 2, self.width(), self.height() - _HEIGHT - 2)
        for mark, side in zip(
            self._marks,
            (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight),
            strict=True,
        ):
            painter.drawText(words, int(side | Qt.AlignmentFlag.AlignTop), mark)
        painter.end()

"""Scrolled: the rows of a dock, which scroll where the window is lower than they are: no dock makes the window larger than the screen."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

_LOWEST = 160


class Scrolled(QScrollArea):
    """A frame that scrolls its rows up and down, never sideways."""

    def __init__(self, rows: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._rows = rows
        self.setWidget(rows)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._settled)
        self._waiting: list[Callable[[], None]] = []
        bar = self.verticalScrollBar()
        assert bar is not None
        self._bar = bar
        bar.rangeChanged.connect(lambda *_: self.updateGeometry())

    def minimumSizeHint(self) -> QSize:
        """As wide as the rows and their scroll bar."""
        least = self._rows.minimumSizeHint()
        beside = self._bar.sizeHint().width() if self._bar.maximum() > 0 else 0
        return QSize(least.width() + beside, min(least.height(), _LOWEST))

    def sizeHint(self) -> QSize:
        """That of the rows."""
        return self._rows.sizeHint().expandedTo(self.minimumSizeHint())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Rows that changed may need another width."""
        if watched is self._rows and event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def settle(self, then: Callable[[], None]) -> None:
        """Do something once the rows have found their places."""
        self._waiting.append(then)
        self._soon.start(0)

    def _settled(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()

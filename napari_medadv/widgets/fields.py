"""Fields that the wheel changes only once they were clicked: until then it scrolls the dock past them."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QComboBox, QSlider, QSpinBox, QWidget


def past(field: QWidget, event: QWheelEvent | None) -> bool:
    """Whether the wheel is not meant for the field, which was not clicked."""
    if event is None or field.hasFocus():
        return False
    event.ignore()
    return True


class Choice(QComboBox):
    """A choice that the wheel changes only once it was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll past, unless it was clicked."""
        if not past(self, event):
            super().wheelEvent(event)


class Whole(QSpinBox):
    """A whole number that the wheel changes only once it was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll past, unless it was clicked."""
        if not past(self, event):
            super().wheelEvent(event)


class Slider(QSlider):
    """A slider that the wheel moves only once it was clicked."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll past, unless it was clicked."""
        if not past(self, event):
            super().wheelEvent(event)

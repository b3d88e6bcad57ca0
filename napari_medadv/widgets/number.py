"""Number: a field for a real number, written as short as it can be, with its unit behind it."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import QDoubleSpinBox, QSizePolicy

from napari_medadv.widgets.fields import past


class Number(QDoubleSpinBox):
    """8, not 8.0000; `inf` where the range allows it."""

    def __init__(self, value: float = 0.0, lowest: float = -1e9, highest: float = 1e9, unit: str = "") -> None:
        super().__init__()
        self.setDecimals(15)  # an apparent diffusion coefficient in m2/s is of the order of 1e-9
        self.setRange(lowest, 1e12 if math.isinf(highest) else highest)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setKeyboardTracking(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(80)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_unit(unit)
        self.set_number(value)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll past, unless it was clicked."""
        if not past(self, event):
            super().wheelEvent(event)

    def set_unit(self, unit: str) -> None:
        """What stands behind the number."""
        self.setSuffix(f" {unit}" if unit else "")

    def set_number(self, value: float) -> None:
        """Set the number; infinity is the end of the range."""
        self.setValue(self.maximum() if math.isinf(value) else value)

    @property
    def number(self) -> float:
        """The number."""
        return math.inf if self.value() >= 1e12 else float(self.value())

    def textFromValue(self, value: float) -> str:
        """The number in words."""
        return "inf" if value >= 1e12 else f"{value:.6g}"

    def valueFromText(self, text: str | None) -> float:
        """The number behind the words."""
        bare = (text or "").removesuffix(self.suffix()).strip().lower()
        return 1e12 if bare == "inf" else float(bare.replace(",", "."))

    def validate(self, text: str | None, place: int) -> tuple[QValidator.State, str, int]:
        """Whether the words are a number yet."""
        words = text or ""
        try:
            value = self.valueFromText(words)
        except ValueError:
            return QValidator.State.Intermediate, words, place
        inside = self.minimum() <= value <= self.maximum()
        return (QValidator.State.Acceptable if inside else QValidator.State.Intermediate), words, place

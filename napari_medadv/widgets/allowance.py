"""Allowance: what speaks against a series, and a box for each problem that a person may choose to overlook."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_medadv.dicom.geometry import ALLOWABLE, Allowable
from napari_medadv.dicom.series import Series

_TIP = "The series is then read in spite of it, and every picture, record and report of it says so."


class Allowance(QWidget):
    """Hidden as long as nothing speaks against the series; no box is ever ticked beforehand."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.boxes: dict[Allowable, QCheckBox] = {}
        self._hopeless = False
        self.setVisible(False)

    def turn(self, series: Series | None) -> None:
        """Show what speaks against this series."""
        while self._column.count():
            item = self._column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.boxes.clear()
        problems = series.problems if series is not None else ()
        known: dict[str, Allowable] = {kind: kind for kind in ALLOWABLE}
        self._hopeless = any(each.kind not in ALLOWABLE for each in problems)
        for problem in problems:
            kind = known.get(problem.kind)
            if kind is None or self._hopeless:
                self._column.addWidget(_sentence(f"Cannot be loaded: {problem.sentence}."))
            elif kind not in self.boxes:
                self._add(kind, problem.sentence)
        self.setVisible(bool(problems))

    @property
    def allowed(self) -> tuple[Allowable, ...]:
        """The kinds of problems that are to be overlooked."""
        return tuple(kind for kind, box in self.boxes.items() if box.isChecked())

    @property
    def complete(self) -> bool:
        """Whether the series may be loaded as things stand."""
        return not self._hopeless and all(box.isChecked() for box in self.boxes.values())

    def _add(self, kind: Allowable, sentence: str) -> None:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        box = QCheckBox("Allow")
        box.setToolTip(_TIP)
        box.toggled.connect(lambda _: self._on_change())
        words = _sentence(f"{sentence[:1].upper()}{sentence[1:]}.")
        words.setToolTip(_TIP)
        line.addWidget(box)
        line.addWidget(words, 1)
        self._column.addWidget(holder)
        self.boxes[kind] = box


def _sentence(words: str) -> QLabel:
    label = QLabel(escape(words))
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label

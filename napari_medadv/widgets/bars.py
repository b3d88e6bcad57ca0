"""Bars: the probability of each label before and after an attack, judged by the truth where the person states it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget

from napari_medadv.prediction import Findings, Prediction
from napari_medadv.widgets.fields import Choice
from napari_medadv.widgets.ink import Ink

_TRUTHS = {"?": None, "present": True, "absent": False}


class Bar(QWidget):
    """One label's probability as a bar with its threshold; a second bar beneath after an attack."""

    def __init__(self) -> None:
        super().__init__()
        self._shares: list[tuple[float, str]] = []
        self._threshold: float | None = None
        self._groove = "#444444"
        self._mark = "#ffffff"
        self.setMinimumWidth(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Wide enough to compare."""
        return QSize(120, 20)

    def show_shares(self, shares: list[tuple[float, str]], threshold: float | None, ink: Ink) -> None:
        """Paint these shares (0 to 1) in these colours."""
        self._shares, self._threshold, self._groove, self._mark = shares, threshold, ink.groove, ink.text
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        count = max(len(self._shares), 1)
        height = (self.height() - 2 * (count - 1)) / count
        for row in range(count):
            top = row * (height + 2)
            painter.setBrush(QColor(self._groove))
            painter.drawRoundedRect(QRectF(0, top, self.width(), height), 2, 2)
            if row < len(self._shares):
                share, colour = self._shares[row]
                painter.setBrush(QColor(colour))
                painter.drawRoundedRect(QRectF(0, top, max(2.0, share * self.width()), height), 2, 2)
        if self._threshold is not None:
            painter.setBrush(QColor(self._mark))
            painter.drawRect(QRectF(self._threshold * (self.width() - 1.5), 0, 1.5, self.height()))
        painter.end()


class Bars(QWidget):
    """A row for every label: name, bar, per cent, and what is true."""

    def __init__(self, on_truth: Callable[[str, bool | None], None]) -> None:
        super().__init__()
        self._on_truth = on_truth
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self._title = QLabel()
        self._rows: dict[str, tuple[Bar, QLabel, QComboBox]] = {}

    def set_labels(self, findings: Findings | None) -> None:
        """One row a label."""
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._rows.clear()
        if findings is None:
            return
        self._title = QLabel("<small>Probability</small>")
        for column, head in enumerate((QLabel("<small>Finding</small>"), self._title, QLabel("<small>Truth</small>"))):
            self._grid.addWidget(head, 0, column if column < 2 else 3, 1, 2 if column == 1 else 1)
        for row, label in enumerate(findings.labels, start=1):
            name, bar, share, truth = QLabel(label.replace("_", "_\u200b")), Bar(), QLabel("–"), Choice()
            name.setWordWrap(True)
            name.setObjectName("name")
            name.setMaximumWidth(150)
            name.setTextFormat(Qt.TextFormat.PlainText)
            share.setTextFormat(Qt.TextFormat.RichText)
            share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            truth.addItems(list(_TRUTHS))
            truth.setToolTip(
                f"What you know of {label}: the bar turns green where the classifier agrees, red where not."
            )
            truth.activated.connect(lambda _, label=label, box=truth: self._on_truth(label, _TRUTHS[box.currentText()]))
            for column, widget in enumerate((name, bar, share, truth)):
                self._grid.addWidget(widget, row, column)
            self._rows[label] = bar, share, truth

    def show_predictions(
        self, before: Prediction | None, after: Prediction | None, truth: Mapping[str, bool], ink: Ink
    ) -> None:
        """Bring bars, per cents and colours up to date."""
        both = before is not None and after is not None
        self._title.setText(f"<small>{'Clean, below it adversarial' if both else 'Probability'}</small>")
        shown = [prediction for prediction in (before, after) if prediction is not None]
        for label, (bar, share, box) in self._rows.items():
            bar.setFixedHeight(22 if len(shown) > 1 else 14)
            box.setCurrentText({None: "?", True: "present", False: "absent"}[truth.get(label)])
            threshold = shown[0].findings.threshold(label) if shown else None
            bar.show_shares([(p[label], colour(p, label, truth, ink)) for p in shown], threshold, ink)
            share.setText("<br>".join(percent(p[label]) for p in shown) or "–")
            limit = "the highest decides" if threshold is None else f"present above {100 * threshold:.3g} %"
            bar.setToolTip(
                f"{label}: {limit}"
                + ("; above the clean series, beneath the adversarial one" if len(shown) > 1 else "")
            )


def colour(prediction: Prediction, label: str, truth: Mapping[str, bool], ink: Ink) -> str:
    """Green where the decision is the truth, red where not, blue where nobody said."""
    if label not in truth:
        return ink.plain
    return ink.good if (label in prediction.present) == truth[label] else ink.bad


def percent(probability: float) -> str:
    """A probability in per cent; never 0 or 100 unless it is exactly that."""
    shown = f"{100 * probability:.1f}"
    if shown == "100.0" and probability < 1:
        return "&gt; 99.9 %"
    if shown == "0.0" and probability > 0:
        return "&lt; 0.1 %"
    return f"{shown} %"

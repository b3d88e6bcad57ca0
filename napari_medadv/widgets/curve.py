"""Curve: the probability of one label along the slices, before and after, with the slice on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_medadv.prediction import Prediction
from napari_medadv.widgets.ink import Ink


class Curve(QWidget):
    """Click into it to go to a slice."""

    def __init__(self, on_slice: Callable[[int], None]) -> None:
        super().__init__()
        self._on_slice = on_slice
        self._count = 0
        self.setMinimumHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._plot: Any = pyqtgraph.PlotWidget()
        self._plot.setMouseEnabled(False, False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setYRange(0, 100, padding=0.03)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self._clean = self._plot.plot()
        self._adversarial = self._plot.plot()
        self._limit: Any = pyqtgraph.InfiniteLine(angle=0)
        self._here: Any = pyqtgraph.InfiniteLine(angle=90)
        for line in (self._limit, self._here):
            self._plot.addItem(line, ignoreBounds=True)
        self._plot.scene().sigMouseClicked.connect(self._clicked)
        self.setToolTip("Probability of the chosen finding in every slice; click to go there.")

    def sizeHint(self) -> QSize:
        """Low and wide."""
        return QSize(240, 170)

    def show_predictions(self, label: str, before: Prediction | None, after: Prediction | None, ink: Ink) -> None:
        """Draw the curves of `label`, in per cent."""
        self._plot.setBackground(ink.ground)
        for side, words in (("bottom", "slice"), ("left", "%")):
            axis = self._plot.getAxis(side)
            axis.setPen(ink.faint)
            axis.setTextPen(ink.text)
            axis.setLabel(words, color=ink.text)
        for item, prediction, colour in (
            (self._clean, before, ink.clean),
            (self._adversarial, after, ink.adversarial),
        ):
            scores = prediction.slices if prediction is not None else None
            if scores is None or prediction is None:
                item.setData([], [])
                continue
            self._count = len(scores)
            values = 100 * scores[:, prediction.findings.index(label)]
            item.setData(np.arange(len(values)), values)
            item.setPen(pyqtgraph.mkPen(colour, width=2))
        self._plot.setXRange(0, max(self._count - 1, 1), padding=0.02)
        threshold = before.findings.threshold(label) if before is not None else None
        self._limit.setVisible(threshold is not None)
        self._limit.setPen(pyqtgraph.mkPen(ink.faint, style=Qt.PenStyle.DashLine))
        self._limit.setValue(100 * (threshold or 0))
        self._here.setPen(pyqtgraph.mkPen(ink.text, width=1))

    @property
    def here(self) -> int:
        """The slice that is marked."""
        place: float = self._here.value()
        return round(place)

    def go(self, index: int) -> None:
        """Mark the slice on the screen."""
        self._here.setValue(index)

    def _clicked(self, event: Any) -> None:
        place = self._plot.getPlotItem().vb.mapSceneToView(event.scenePos())
        if self._count:
            self._on_slice(int(np.clip(round(place.x()), 0, self._count - 1)))

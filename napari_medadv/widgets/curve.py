"""Curve: the probability of one label along the slices, before and after, with the slice on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy

from napari_medadv.prediction import Prediction
from napari_medadv.widgets.ink import Ink


class Curve(pyqtgraph.PlotWidget):
    """Click into it to go to a slice."""

    def __init__(self, on_slice: Callable[[int], None]) -> None:
        super().__init__()
        self._on_slice = on_slice
        self._count = 0
        self.setMinimumHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseEnabled(False, False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setYRange(0, 100, padding=0.03)
        self._clean = self.plot()
        self._adversarial = self.plot()
        self._limit = pyqtgraph.InfiniteLine(angle=0)
        self._here = pyqtgraph.InfiniteLine(angle=90)
        for line in (self._limit, self._here):
            self.addItem(line, ignoreBounds=True)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.setToolTip("Probability of the chosen finding in every slice; click to go there.")

    def sizeHint(self) -> QSize:  # noqa: N802
        """Low and wide."""
        return QSize(240, 170)

    def show_predictions(self, label: str, before: Prediction | None, after: Prediction | None, ink: Ink) -> None:
        """Draw the curves of `label`, in per cent."""
        self.setBackground(ink.ground)
        for side, words in (("bottom", "slice"), ("left", "%")):
            axis = self.getAxis(side)
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
        self.setXRange(0, max(self._count - 1, 1), padding=0.02)
        threshold = before.findings.threshold(label) if before is not None else None
        self._limit.setVisible(threshold is not None)
        self._limit.setPen(pyqtgraph.mkPen(ink.faint, style=pyqtgraph.QtCore.Qt.PenStyle.DashLine))
        self._limit.setValue(100 * (threshold or 0))
        self._here.setPen(pyqtgraph.mkPen(ink.text, width=1))

    def go(self, index: int) -> None:
        """Mark the slice on the screen."""
        self._here.setValue(index)

    def _clicked(self, event: Any) -> None:
        place = self.getPlotItem().vb.mapSceneToView(event.scenePos())
        if self._count:
            self._on_slice(int(np.clip(round(place.x()), 0, self._count - 1)))

"""Overlay dock: the difference as a heat map with its colorbar, the blink between clean and adversarial, the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QPushButton

from napari_medadv.display import HeatView, Outcome
from napari_medadv.display.heat import Kind
from napari_medadv.measure.distortion import Distortion, distortion
from napari_medadv.volume import several
from napari_medadv.widgets.colorbar import Colorbar
from napari_medadv.widgets.fields import Choice, Slider
from napari_medadv.widgets.ink import ink_of
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.overlay_words import NUMBERS, amplified, scale_of, spoken
from napari_medadv.widgets.panel import Panel, form, heading

_KINDS: tuple[Kind, ...] = ("signed", "absolute", "relative")
_BLINK = 500


class OverlayPanel(Panel):
    """How the difference is shown, and how large it is."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.shown = QCheckBox("Show the heat map")
        self.shown.setToolTip("The difference as a layer over the series; a map that was deleted comes back.")
        self.shown.setChecked(True)
        self.shown.toggled.connect(self._show)
        self.blink = QPushButton("Blink clean / adversarial")
        self.blink.setCheckable(True)
        self.blink.setToolTip("Shows the clean and the adversarial series in turn, twice a second.")
        self.blink.toggled.connect(self._on_blink)
        row = QHBoxLayout()
        row.addWidget(self.shown)
        row.addWidget(self.blink)
        self.column.addLayout(row)
        rows = form()
        self.kind = Choice()
        self.kind.addItems(list(_KINDS))
        self.kind.setToolTip(
            "Signed or absolute change in the unit of the series, or signed in per cent of the display window."
        )
        self.full = Number(1.0, lowest=0.0)
        self.full.setToolTip("The change that gets the full colour; the range is symmetric about zero.")
        self.largest = QPushButton("Largest")
        self.largest.setToolTip("Take the largest change of this attack.")
        reach = QHBoxLayout()
        reach.addWidget(self.full, 1)
        reach.addWidget(self.largest)
        self.threshold = Number(0.0, lowest=0.0)
        self.threshold.setToolTip("Smaller changes stay clear.")
        self.opacity = Slider()
        self.opacity.setToolTip("How much of the series the heat map covers where the change is largest.")
        self.opacity.setRange(0, 100)
        self.opacity.setValue(round(100 * self.session.heat.opacity))
        self.percent = QLabel()
        self.percent.setMinimumWidth(self.percent.fontMetrics().horizontalAdvance("100 %"))
        clear = QHBoxLayout()
        clear.addWidget(self.opacity, 1)
        clear.addWidget(self.percent)
        for words, field in (
            ("Difference", self.kind),
            ("Full colour at ±", reach),
            ("Threshold", self.threshold),
            ("Opacity", clear),
        ):
            rows.addRow(words, field)
        self.column.addLayout(rows)
        self.colorbar = Colorbar()
        self.column.addWidget(self.colorbar)
        self.amplified = QLabel()
        self.amplified.setWordWrap(True)
        self.column.addWidget(self.amplified)
        self.column.addWidget(heading("How large the change is"))
        self.numbers: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for place, name in enumerate(NUMBERS):
            value = QLabel("–")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(QLabel(name), place, 0)
            grid.addWidget(value, place, 1)
            self.numbers[name] = value
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)
        self.finish()
        self._timer = QTimer(self)
        self._timer.setInterval(_BLINK)
        self._timer.timeout.connect(self._swap)
        self.kind.currentTextChanged.connect(self._edited)
        self.full.valueChanged.connect(self._edited)
        self.threshold.valueChanged.connect(self._edited)
        self.opacity.valueChanged.connect(self._edited)
        self.largest.clicked.connect(self._take_largest)
        events = self.session.events
        self.ties.connect(events.outcome, self._on_outcome)
        self.ties.connect(events.heat, self._on_heat)
        self.ties.connect(self.stage.heat_map.shown, self._on_shown)
        self.ties.connect(events.distortion, self._count)
        if self.stage.viewer is not None:
            self.ties.connect(self.stage.viewer.events.theme, self._draw)
        self._on_outcome(self.session.outcome)

    def event(self, event: QEvent | None) -> bool:
        """The x of the dock stops the blinking, which nobody could stop any more."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.blink.setChecked(False)
        return super().event(event)

    def _on_outcome(self, outcome: Outcome | None) -> None:
        self.blink.setChecked(False)
        for widget in (self.shown, self.blink, self.kind, self.full, self.largest, self.threshold, self.opacity):
            widget.setEnabled(outcome is not None)
        if outcome is not None:
            self.shown.setChecked(True)
            self._take_largest()
            if self.session.distortion is None:
                self._measure(outcome)
        self._draw()
        self._count(self.session.distortion)

    def _measure(self, outcome: Outcome) -> None:
        found = outcome.perturbation

        def done(numbers: Distortion) -> None:
            if self.session.outcome is outcome:
                self.session.distortion = numbers

        self.start(lambda _: distortion(found.clean, found.adversarial), "Measuring", done)

    def _take_largest(self) -> None:
        outcome = self.session.outcome
        if outcome is not None:
            self.session.heat = replace(self.session.heat, full=None, threshold=0.0)
            self._fill(outcome)

    def _fill(self, outcome: Outcome) -> None:
        view, volume = self.session.heat, outcome.loaded.volume
        factor = view.factor(volume)
        for field, value in ((self.full, view.reach(outcome)), (self.threshold, view.threshold)):
            field.blockSignals(True)
            field.set_unit("%" if view.kind == "relative" else several(volume.scale.unit))
            field.set_number(value * factor)
            field.blockSignals(False)

        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * view.opacity))
        self.opacity.blockSignals(False)

    def _on_heat(self) -> None:
        """The view changed: here, or in napari's own controls of the layer."""
        if self.session.outcome is not None and self.sender() not in (self.full, self.threshold, self.opacity):
            self._fill(self.session.outcome)
        self._draw()

    def _edited(self, *_: Any) -> None:
        outcome, before = self.session.outcome, self.session.heat
        if outcome is None:
            return
        kind: Kind = _KINDS[self.kind.currentIndex()]
        if kind != before.kind:
            self.session.heat = replace(before, kind=kind)
            self._fill(outcome)
            return
        factor = before.factor(outcome.loaded.volume)
        full = self.full.number / factor if self.sender() is self.full else before.full
        self.session.heat = HeatView(kind, full or None, self.threshold.number / factor, self.opacity.value() / 100)

    def _draw(self, *_: Any) -> None:
        outcome, view = self.session.outcome, self.session.heat
        self.percent.setText(f"{100 * view.opacity:.0f} %")
        ink = ink_of(self.stage.viewer)
        if outcome is None:
            self.colorbar.show_colors(None, ("", "", ""), ink)
            self.amplified.setText("Run an attack to see what it changes.")
            return
        volume, reach = outcome.loaded.volume, view.reach(outcome)
        self.colorbar.show_colors(*scale_of(view, reach, volume), ink)
        self.amplified.setText(amplified(view, outcome))

    def _count(self, numbers: Distortion | None) -> None:
        for name, value in self.numbers.items():
            value.setText(
                spoken(numbers)[name] if numbers is not None else ("measuring…" if self.session.outcome else "–")
            )

    def _show(self, on: bool) -> None:
        if on:
            self.stage.heat_map.show()
        else:
            self.stage.heat_map.hide()

    def _on_shown(self, on: bool) -> None:
        self.shown.blockSignals(True)
        self.shown.setChecked(on)
        self.shown.blockSignals(False)

    def _on_blink(self, on: bool) -> None:
        if on:
            self._timer.start()
        else:
            self._timer.stop()
            layer = self.stage.layer(self.session.outcome)
            if layer is not None:
                layer.visible = True

    def _swap(self) -> None:
        layer = self.stage.layer(self.session.outcome)
        if layer is None:
            self.blink.setChecked(False)
            return
        layer.visible = not layer.visible

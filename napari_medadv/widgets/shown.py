"""Shown: what is on the screen: windows to choose from, and the value and patient position under the cursor."""

from __future__ import annotations

from functools import partial
from html import escape

from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_medadv.display import Loaded, presets
from napari_medadv.display.layers import length_unit
from napari_medadv.volume import Window, several
from napari_medadv.widgets.badge import Badge
from napari_medadv.widgets.panel import Ties, heading
from napari_medadv.widgets.stage import Stage
from napari_medadv.widgets.standing import Standings

_IN_A_ROW = 3


class Shown(QWidget):
    """The lower part of the series dock."""

    def __init__(self, stage: Stage, ties: Ties) -> None:
        super().__init__()
        self._stage = stage
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(heading("On screen"))
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        column.addWidget(self.facts)
        self.badges = {name: Badge() for name in ("origin", "signature", "baseline")}
        line = QHBoxLayout()
        line.setSpacing(4)
        column.addWidget(self.badges["origin"])
        for name in ("signature", "baseline"):
            line.addWidget(self.badges[name], 1)
        column.addLayout(line)
        self._buttons = QGridLayout()
        self._buttons.setSpacing(4)
        column.addLayout(self._buttons)
        self.readout = QLabel()
        self.readout.setToolTip(
            "Value and patient position of the voxel under the cursor; after an attack: clean → adversarial."
        )
        self.readout.setWordWrap(True)
        self.readout.setMinimumHeight(2 * self.readout.fontMetrics().lineSpacing() + 4)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        column.addWidget(self.readout)
        ties.connect(stage.session.events.loaded, self._on_loaded)
        ties.connect(stage.session.events.readout, self._on_readout)
        ties.connect(stage.session.events.standings, self._on_standings)
        self._on_loaded(stage.session.loaded)
        self._on_readout("")
        self._on_standings(stage.session.standings)

    def _on_standings(self, found: Standings | None) -> None:
        for name, badge in self.badges.items():
            badge.show_standing(getattr(found, name, None))

    def _on_readout(self, words: str) -> None:
        self.readout.setText(words or "Move the cursor over the picture to read values.")

    def _on_loaded(self, loaded: Loaded | None) -> None:
        while self._buttons.count():
            item = self._buttons.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if loaded is None:
            self.facts.setText("Nothing is loaded.")
            return
        self.facts.setText(described(loaded))
        for number, (name, window) in enumerate(presets(loaded.volume).items(), start=1):
            if number > 9:
                break
            button = QPushButton(name)
            button.setToolTip(
                f"{spoken(window, several(loaded.volume.scale.unit))} (key {number} while the image layer is selected)"
            )
            button.clicked.connect(partial(self._stage.window, window))
            self._buttons.addWidget(button, (number - 1) // _IN_A_ROW, (number - 1) % _IN_A_ROW)


def described(loaded: Loaded) -> str:
    """Size, spacing, unit and whatever is unusual, in a few words."""
    volume = loaded.volume
    z, y, x = volume.shape
    dz, dy, dx = volume.spacing
    size = f"{x} × {y}" + (f" × {z}" if z > 1 else "")
    spacing = f", {dx:.3g} × {dy:.3g}" + (f" × {dz:.3g}" if z > 1 else "") + " mm"
    spacing = spacing if length_unit(volume) == "mm" else ""
    what = f"<b>{escape(loaded.name)}</b><br>{size} voxels{spacing}, in {escape(several(volume.scale.unit))}"
    return "<br>".join([what, *(f"<i>{escape(fact)}</i>" for fact in volume.facts)])


def spoken(window: Window, unit: str) -> str:
    """A window in a radiologist's words."""
    if window.function == "TABLE":
        low, high = window.limits
        return f"Display table of the file, {low:g} to {high:g} {unit}"
    return f"Center {window.center:g}, width {window.width:g} {unit}" + (", sigmoid" * (window.function == "SIGMOID"))

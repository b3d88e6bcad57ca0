"""AttackForm: the threat and the attack as a form, in the reader's words and the volume's unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_medadv.attacks import Attack
from napari_medadv.catalogue import entry, names
from napari_medadv.display import Loaded
from napari_medadv.display.heat import width
from napari_medadv.errors import ThreatError
from napari_medadv.prediction import Prediction
from napari_medadv.threat import L0, L1, L2, Budget, Conceal, Confuse, Fabricate, Goal, Linf, Region, Threat
from napari_medadv.volume import Volume
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import Ties, form, heading
from napari_medadv.widgets.regions import drawn, mask_of
from napari_medadv.widgets.settings_form import SettingsForm
from napari_medadv.widgets.stage import Stage

_HOME = "napari_medadv.attacks"
_EVERYWHERE = "whole image"
_BUDGETS: dict[str, Callable[[float], Budget]] = {"Linf": Linf, "L2": L2, "L1": L1, "L0": L0}
_NORMS = {
    "Linf": "the change of each voxel",
    "L2": "root of the summed squares of a slice",
    "L1": "summed changes of a slice",
    "L0": "how many voxels of a slice may change",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the form asks for."""

    threat: Threat
    attack: Attack
    seed: int


class AttackForm(QWidget):
    """Goal, finding, budget, region, slices, attack and its settings, seed."""

    def __init__(self, stage: Stage, ties: Ties) -> None:
        super().__init__()
        self._stage = stage
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._rows = form()
        column.addLayout(self._rows)
        self.goal = _box(("Conceal", "Fabricate", "Confuse"), "Hide a finding, invent one, or any other decision.")
        self.label = _box((), "The finding to hide or to invent.")
        self.epsilon = Number(8.0, lowest=0.0)
        self.epsilon.setToolTip("How far the stored values may be changed.")
        self.norm = _box(tuple(_BUDGETS), "\n".join(f"{name}: {words}" for name, words in _NORMS.items()), letters=4)
        self.hint = QLabel()
        self.region = _box(
            (_EVERYWHERE,),
            "Paint in a Labels layer, or draw outlines in a Shapes layer (they hold through all slices).",
        )
        self.slices = _box(("all", "the one shown", "from – to"), "Which slices may be changed.")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.attack = _box((), "")
        for name in names(_HOME):
            self.attack.addItem(entry(name, _HOME).__name__, name)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same result, bit for bit.")
        self._between = _row(self.first, QLabel("–"), self.last)
        for words, field in (
            ("Goal", self.goal),
            ("Finding", self.label),
            ("Budget", _row(self.epsilon, self.norm, stretch=(3, 1))),
            ("", self.hint),
            ("Region", self.region),
            ("Slices", self.slices),
            ("", self._between),
            ("Attack", self.attack),
        ):
            self._rows.addRow(words, field)
        self.settings = SettingsForm(entry("pgd", _HOME))
        column.addWidget(heading("Settings"))
        self._settings_place = QVBoxLayout()
        column.addLayout(self._settings_place)
        self._settings_place.addWidget(self.settings)
        self.settings.rows.addRow("Seed", self.seed)
        self.goal.currentTextChanged.connect(self._on_goal)
        self.slices.currentTextChanged.connect(self._on_slices)
        self.attack.currentTextChanged.connect(lambda _: self._on_attack(self.attack.currentData()))
        self.epsilon.valueChanged.connect(lambda _: self._on_hint())
        self.norm.currentTextChanged.connect(lambda _: self._on_budget())
        self.attack.setCurrentIndex(self.attack.findData("pgd"))
        self._on_slices(self.slices.currentText())
        events = stage.session.events
        ties.connect(events.loaded, self._on_loaded)
        ties.connect(events.classifier, self._on_classifier)
        ties.connect(events.prediction, self._on_prediction)
        if stage.viewer is not None:
            for signal in (stage.viewer.layers.events.inserted, stage.viewer.layers.events.removed):
                ties.connect(signal, self._on_layers)
        self._on_layers()
        self._on_classifier()
        self._on_loaded(stage.session.loaded)
        self._on_prediction(stage.session.prediction)

    def plan(self, loaded: Loaded) -> Plan:
        """What the form says.

        Raises
        ------
        MedAdvError
            The form asks for something impossible.
        """
        budget = _BUDGETS[self.norm.currentText()](self.epsilon.number)
        region = Region(self._mask(loaded), self._chosen(loaded.volume))
        return Plan(Threat(self._goal(), budget, region), self.settings.value(), self.seed.value())

    def _goal(self) -> Goal:
        label = self.label.currentText()
        kind = self.goal.currentText()
        return Confuse() if kind == "Confuse" else (Conceal if kind == "Conceal" else Fabricate)(label)

    def _mask(self, loaded: Loaded) -> Any:
        name = self.region.currentText()
        viewer, image = self._stage.viewer, self._stage.layer(loaded) or self._stage.layer(self._stage.session.outcome)
        if name == _EVERYWHERE or viewer is None or image is None:
            return None
        return mask_of(viewer.layers[name], image, loaded.volume)

    def _chosen(self, volume: Volume) -> tuple[int, ...] | None:
        how = self.slices.currentIndex()
        if how == 0:
            return None
        if how == 1:
            return (self._stage.session.index,)
        if self.first.value() > self.last.value():
            raise ThreatError(
                f"Slices {self.first.value()} to {self.last.value()} are none: give the lower number first."
            )
        return tuple(range(self.first.value(), self.last.value() + 1))

    def _on_goal(self, goal: str) -> None:
        self.label.setEnabled(goal != "Confuse")

    def _on_slices(self, how: str) -> None:
        self._rows.setRowVisible(self._between, how.startswith("from"))

    def _on_attack(self, name: str) -> None:
        kind = entry(name, _HOME)
        self.attack.setToolTip(((kind.__doc__ or "").strip().splitlines() or [""])[0])
        self.settings.rows.takeRow(self.seed)
        old, self.settings = self.settings, SettingsForm(kind)
        self._settings_place.replaceWidget(old, self.settings)
        old.hide()
        old.deleteLater()
        self.settings.rows.addRow("Seed", self.seed)

    def _on_layers(self, event: Any = None) -> None:
        chosen = self.region.currentText()
        self.region.clear()
        self.region.addItems([_EVERYWHERE, *drawn(self._stage.viewer)])
        self.region.setCurrentText(chosen if self.region.findText(chosen) >= 0 else _EVERYWHERE)

    def _on_classifier(self, *_: Any) -> None:
        classifier = self._stage.session.classifier
        self.label.clear()
        self.label.addItems(list(classifier.findings.labels) if classifier is not None else [])
        self._on_goal(self.goal.currentText())

    def _on_loaded(self, loaded: Loaded | None) -> None:
        if loaded is None:
            self.hint.setText("")
            return
        volume = loaded.volume
        self._on_budget()
        top = volume.shape[0] - 1
        for field, value in ((self.first, 0), (self.last, top)):
            field.setRange(0, top)
            field.setValue(value)
        self._rows.setRowVisible(self.slices, top > 0)

    def _on_prediction(self, prediction: Prediction | None) -> None:
        if prediction is None:
            return
        found = [label for label in prediction.present if not label.lower().startswith("no ")]
        absent = [label for label in prediction.findings.labels if label not in prediction.present]
        self.goal.setCurrentText("Conceal" if found or not absent else "Fabricate")
        self.label.setCurrentText((found or absent or [self.label.currentText()])[0])

    def _on_budget(self) -> None:
        loaded, norm = self._stage.session.loaded, self.norm.currentText()
        if loaded is not None:
            self.epsilon.set_unit("voxels" if norm == "L0" else loaded.volume.scale.unit)
            self.epsilon.set_number(default_epsilon(loaded.volume, norm))
            self._on_hint()

    def _on_hint(self) -> None:
        loaded, norm = self._stage.session.loaded, self.norm.currentText()
        if loaded is None:
            return
        if norm != "Linf":
            self.hint.setText(_NORMS[norm])
            return
        share = 100 * self.epsilon.number / width(loaded.volume)
        self.hint.setText(f"{share:.2g} % of the display window's width")


def default_epsilon(volume: Volume, norm: str = "Linf") -> float:
    """A budget to begin with: hard to see, never below one grey level, in the unit of the volume (voxels for L0)."""
    level, count = float(volume.scale.quantum.max()), volume.shape[1] * volume.shape[2]
    wished = 8.0 if volume.scale.unit == "HU" else width(volume) / 100
    each = max(level, round(wished / level) * level)
    share = {"Linf": 1.0, "L2": math.sqrt(count) / 4, "L1": count / 20}
    return float(f"{each * share[norm]:.2g}") if norm in share else float(max(1, count // 1000))


def _box(words: tuple[str, ...], tip: str, letters: int = 8) -> QComboBox:
    box = QComboBox()
    box.addItems(list(words))
    box.setToolTip(tip)
    box.setMinimumContentsLength(letters)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box


def _row(*fields: QWidget, stretch: tuple[int, ...] = (1, 0, 1)) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for field, share in zip(fields, stretch, strict=False):
        row.addWidget(field, share)
    return holder

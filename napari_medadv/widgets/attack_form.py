"""AttackForm: the threat and the attack as one form, in the reader's words and the unit of the series."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medadv.attacks import Attack, Perturbation
from napari_medadv.attacks.several import learns
from napari_medadv.catalogue import entry, name_of, names
from napari_medadv.display import Loaded
from napari_medadv.prediction import Prediction
from napari_medadv.threat import Threat
from napari_medadv.widgets.budget_rows import BudgetRows
from napari_medadv.widgets.fields import Whole
from napari_medadv.widgets.goal_rows import GoalRows
from napari_medadv.widgets.panel import Ties, box, form, heading
from napari_medadv.widgets.region_rows import RegionRows
from napari_medadv.widgets.settings_form import SettingsForm
from napari_medadv.widgets.stage import Stage

_HOME = "napari_medadv.attacks"
_FIRST = "pgd"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the form asks for.

    Attributes
    ----------
    retakes
        How many fresh acquisitions are asked for afterwards.
    together
        Whether one perturbation is learned on every series in the window.
    """

    threat: Threat
    attack: Attack
    seed: int
    retakes: int = 0
    together: bool = False


class AttackForm(QWidget):
    """Goal, budget, region, attack and its settings, seed."""

    def __init__(self, stage: Stage, ties: Ties) -> None:
        super().__init__()
        self._stage = stage
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        rows = form()
        column.addLayout(rows)
        self.goal = GoalRows(rows, stage)
        self.budget = BudgetRows(rows, stage)
        self.region = RegionRows(rows, stage, ties)
        self.attack = box((), "")
        for name in names(_HOME):
            self.attack.addItem(entry(name, _HOME).__name__, name)
        rows.addRow("Attack", self.attack)
        self.learn_on = box(
            ("this series", "every series in the window"),
            "One perturbation, or one patch, for all of them: it is kept in a file and put onto each.",
        )
        rows.addRow("Learn on", self.learn_on)
        self._rows = rows
        self.seed = Whole()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same result, bit for bit.")
        self.retakes = Whole()
        self.retakes.setRange(0, 10_000)
        self.retakes.setSpecialValueText("none")
        self.retakes.setToolTip(
            "Acquire the result so many times again, with other noise, motion, rounding and window, and say how often it lasts."
        )
        column.addWidget(heading("Settings"))
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        self.settings = SettingsForm(entry(_FIRST, _HOME))
        self._add_rows()
        self._place.addWidget(self.settings)
        self.attack.setCurrentIndex(self.attack.findData(_FIRST))
        self._describe()
        self.attack.currentIndexChanged.connect(lambda _: self._on_attack())
        events = stage.session.events
        ties.connect(events.loaded, self._on_loaded)
        ties.connect(events.classifier, self._on_classifier)
        ties.connect(events.prediction, self._on_prediction)
        self._on_loaded(stage.session.loaded)
        self._on_prediction(stage.session.prediction)

    def plan(self, loaded: Loaded) -> Plan:
        """What the form says.

        Raises
        ------
        MedAdvError
            The form asks for something impossible.
        """
        threat = Threat(self.goal.goal(), self.budget.budget(), self.region.region(loaded))
        together = learns(entry(self.attack.currentData(), _HOME)) and self.learn_on.currentIndex() == 1
        return Plan(threat, self.settings.value(), self.seed.value(), self.retakes.value(), together)

    def show_run(self, found: Perturbation) -> None:
        """Say what was run: goal, budget, attack, its settings, seed."""
        self.goal.show_goal(found.threat.goal)
        self.attack.setCurrentIndex(self.attack.findData(name_of(type(found.attack))))
        self._on_attack(found.attack)
        self.budget.show_budget(found.threat.budget)
        self.seed.setValue(found.seed)

    def _on_attack(self, attack: Attack | None = None) -> None:
        for field in (self.retakes, self.seed):
            self.settings.rows.takeRow(field)
        old, self.settings = self.settings, SettingsForm(entry(self.attack.currentData(), _HOME), attack)
        self._place.replaceWidget(old, self.settings)
        old.hide()
        old.deleteLater()
        self._add_rows()
        self._describe()

    def _add_rows(self) -> None:
        self.settings.rows.addRow("Retakes", self.retakes)
        self.settings.rows.addRow("Seed", self.seed)

    def _describe(self) -> None:
        kind = entry(self.attack.currentData(), _HOME)
        self.budget.offer(kind.norms)
        self._rows.setRowVisible(self.learn_on, learns(kind))
        words = inspect.getdoc(kind) or ""
        self.attack.setToolTip(words.splitlines()[0] if words else "")

    def _on_classifier(self, *_: Any) -> None:
        self.goal.chosen = False
        self.goal.build()
        self.budget.tell()

    def _on_loaded(self, loaded: Loaded | None) -> None:
        self.goal.chosen = False
        self.budget.suggest(loaded)
        self.region.suggest(loaded)

    def _on_prediction(self, prediction: Prediction | None) -> None:
        if prediction is not None and self._stage.session.after is None:  # after an attack, its goal stays
            self.goal.suggest(prediction)

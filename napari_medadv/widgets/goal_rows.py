"""GoalRows: what the adversary wants, as rows of a form made from the fields of the goal."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_medadv.audit.threat_json import GOALS
from napari_medadv.prediction import Prediction
from napari_medadv.settings import fields, make
from napari_medadv.threat import Goal
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import box
from napari_medadv.widgets.settings_form import explained, field_of
from napari_medadv.widgets.stage import Stage

_NAMES = {"alone": "Change one alone", "swap": "Swap two", "reach": "Reach a probability"}
_ROWS = {"label": "Finding", "hidden": "Hide", "shown": "Show"}


class GoalRows:
    """A row for the goal, and one for each thing it must know: findings of the classifier, numbers, choices."""

    def __init__(self, rows: QFormLayout, stage: Stage) -> None:
        self._rows, self._stage = rows, stage
        self.kind = box((), "What the classifier should be made to say.")
        for name in GOALS:
            self.kind.addItem(_NAMES.get(name, name.capitalize()), name)
        self.fields: dict[str, QWidget] = {}
        self._readers: dict[str, Callable[[], Any]] = {}
        self.chosen = False
        rows.addRow("Goal", self.kind)
        self.kind.activated.connect(self._choose)
        self.kind.currentIndexChanged.connect(lambda _: self.build())
        self.build()

    def goal(self) -> Goal:
        """The goal.

        Raises
        ------
        MedAdvError
            The goal refuses a value.
        """
        made: Goal = make(self._class, {name: read() for name, read in self._readers.items()})
        return made

    def build(self) -> None:
        """Rows for the fields of the chosen goal; what was chosen before stays where it can."""
        chosen = {name: field.currentText() for name, field in self.fields.items() if isinstance(field, QComboBox)}
        for old in self.fields.values():
            self._rows.removeRow(old)
        self.fields, self._readers = {}, {}
        words = explained(self._class)
        place = self._rows.getWidgetPosition(self.kind)[0]
        self.kind.setToolTip((inspect.getdoc(self._class) or "").splitlines()[0])
        for name, (annotation, default) in fields(self._class).items():
            field: QWidget
            if annotation is str:
                labels = box(self._labels, "A finding of the classifier.")
                labels.setCurrentText(chosen.get(name, ""))
                labels.activated.connect(self._choose)
                field, read = labels, labels.currentText
            else:
                field, read = field_of(annotation, 0.5 if default is dataclasses.MISSING else default)
                field.setToolTip(words.get(name, ""))
            self.fields[name], self._readers[name] = field, read
            self._rows.insertRow(place + len(self.fields), _ROWS.get(name, name.capitalize()), field)

    def show_goal(self, goal: Goal) -> None:
        """Say what `goal` says."""
        self.kind.setCurrentIndex(self.kind.findData(next(name for name, kind in GOALS.items() if type(goal) is kind)))
        for name, field in self.fields.items():
            if isinstance(field, QComboBox):
                field.setCurrentText(str(getattr(goal, name)))
            elif isinstance(field, Number):
                field.set_number(getattr(goal, name))

    def suggest(self, prediction: Prediction) -> None:
        """Conceal what is there, or else fabricate what is not; what the person chose meanwhile stays."""
        if self.chosen:
            return
        found = [label for label in prediction.present if not label.lower().startswith("no ")]
        absent = [label for label in prediction.findings.labels if label not in prediction.present]
        self.kind.setCurrentIndex(self.kind.findData("conceal" if found or not absent else "fabricate"))
        field = self.fields.get("label")
        if isinstance(field, QComboBox):
            field.setCurrentText((found or absent or prediction.findings.labels)[0])

    def _choose(self, *_: Any) -> None:
        self.chosen = True

    @property
    def _class(self) -> type[Any]:
        return GOALS[self.kind.currentData()]

    @property
    def _labels(self) -> tuple[str, ...]:
        classifier = self._stage.session.classifier
        return classifier.findings.labels if classifier is not None else ()

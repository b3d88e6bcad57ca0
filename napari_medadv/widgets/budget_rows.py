"""BudgetRows: how far the adversary may go, as rows of a form, in the unit of the series and in what that means."""

from __future__ import annotations

import math

from qtpy.QtWidgets import QFormLayout, QLabel, QSizePolicy

from napari_medadv.audit.threat_json import BUDGETS, budget_unit
from napari_medadv.display import Loaded
from napari_medadv.errors import MedAdvError
from napari_medadv.measure import grey_range
from napari_medadv.threat import Budget
from napari_medadv.threat.amount import values
from napari_medadv.threat.unit import measurable, stated
from napari_medadv.volume import Volume
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import box, row
from napari_medadv.widgets.stage import Stage

_MEANING = {
    "linf": "the change of each voxel",
    "l2": "root of the summed squared changes in a {}",
    "l1": "summed changes in a {}",
    "l0": "how many voxels may change in a {}",
}
_EITHER = "slice, or in the volume where the classifier reads it whole"


class BudgetRows:
    """The budget, its norm, and a line that says what it means on the screen."""

    def __init__(self, rows: QFormLayout, stage: Stage) -> None:
        self._stage = stage
        self.epsilon = Number(8.0, lowest=0.0)
        self.epsilon.setToolTip("How far the stored values may be changed.")
        self.norm = box(
            (), "\n".join(f"{name}: {words.format(_EITHER)}" for name, words in _MEANING.items()), letters=4
        )
        for name in BUDGETS:
            self.norm.addItem(name.capitalize(), name)
        self.hint = QLabel()
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        rows.addRow("Budget", row(self.epsilon, self.norm, stretch=(3, 1)))
        rows.addRow("", self.hint)
        self.epsilon.valueChanged.connect(lambda _: self.tell())
        self.norm.currentIndexChanged.connect(lambda _: self.suggest(stage.session.loaded))

    def budget(self) -> Budget:
        """The budget.

        Raises
        ------
        MedAdvError
            Nothing could change within it.
        """
        return BUDGETS[self.norm.currentData()](self.epsilon.number)

    def offer(self, norms: tuple[str, ...]) -> None:
        """Only these norms can be chosen; the chosen one stays where it can."""
        chosen = self.norm.currentData()
        self.norm.blockSignals(True)
        self.norm.clear()
        for name in BUDGETS:
            if name.capitalize() in norms:
                self.norm.addItem(name.capitalize(), name)
        self.norm.setCurrentIndex(max(self.norm.findData(chosen), 0))
        self.norm.blockSignals(False)
        if self.norm.currentData() != chosen:
            self.suggest(self._stage.session.loaded)

    def show_budget(self, budget: Budget) -> None:
        """Say what `budget` says."""
        self.norm.setCurrentIndex(self.norm.findData(budget.norm.lower()))
        self.epsilon.set_number(budget.epsilon)
        self.tell()

    def suggest(self, loaded: Loaded | None) -> None:
        """A budget to begin with."""
        if loaded is None:
            self.hint.setText("")
            return
        volume, norm = loaded.volume, self.norm.currentData()
        self.epsilon.set_unit(budget_unit(BUDGETS[norm](1.0), volume.scale.unit))
        self.epsilon.set_number(default_epsilon(volume, norm))
        self.tell()

    def tell(self) -> None:
        """Say what the budget means for the series and who reads it."""
        loaded = self._stage.session.loaded
        if loaded is None:
            return
        try:
            reader = self._stage.session.classifier
            whole = reader is not None and reader.reads == "volume"
            self.hint.setText(meaning(self.budget(), loaded.volume, whole=whole))
        except MedAdvError as error:
            self.hint.setText(str(error))
        self.hint.setToolTip(self.hint.text())


def meaning(budget: Budget, volume: Volume, *, whole: bool = False) -> str:
    """What a budget means on the screen, in a few words; `whole` where it is spent on the whole volume and not on each slice."""
    if volume.colour or not measurable(volume.window) or budget.norm not in ("Linf", "L2"):
        return _MEANING[budget.norm.lower()].format("volume" if whole else "slice")
    means = stated(budget, volume.window, values(volume, whole=whole))
    each = "" if budget.norm == "Linf" else "mean "
    return f"{each}{means['% of window']:.2g} % of window, {means['grey level of 255']:.2g} of 255 greys"


def default_epsilon(volume: Volume, norm: str = "linf") -> float:
    """A budget to begin with: hard to see, never below one grey level, in the unit of the volume (voxels for L0)."""
    level, count = float(volume.scale.quantum.max()), volume.shape[1] * volume.shape[2]
    wished = 8.0 if volume.scale.unit == "HU" else grey_range(volume) / 100
    each = max(level, round(wished / level) * level)
    share = {"linf": 1.0, "l2": math.sqrt(count) / 4, "l1": count / 20}
    return float(f"{each * share[norm]:.2g}") if norm in share else float(max(1, count // 1000))

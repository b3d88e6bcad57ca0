"""BudgetRows: how far the adversary may go, as rows of a form, in the measure of the person's choice and in what that means."""

from __future__ import annotations

import math
from typing import get_args

from qtpy.QtWidgets import QFormLayout, QLabel, QSizePolicy

from napari_medadv.audit.threat_json import BUDGETS, budget_unit
from napari_medadv.display import Loaded
from napari_medadv.errors import MedAdvError
from napari_medadv.measure import grey_range
from napari_medadv.threat import Amount, Budget
from napari_medadv.threat.amount import MEASURES, Said, values
from napari_medadv.threat.unit import measurable, stated
from napari_medadv.volume import Volume, several
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
_NAMES: dict[Said, str] = {"percent": "% window", "grey": "greys", "jnd": "JND", "psnr": "dB PSNR"}
_MEASURED = """What the number counts, in the default window:
the unit of the series; per cent of the window; grey levels of 255 in it;
just noticeable differences on a display calibrated to DICOM PS3.14 (1 to 350 cd/m2);
the PSNR that must be kept. For L2 all but the first are the root mean square."""


class BudgetRows:
    """The budget, its measure, its norm, and a line that says what it means in other measures."""

    def __init__(self, rows: QFormLayout, stage: Stage) -> None:
        self._stage = stage
        self._measured: Said = "native"
        self._exact: tuple[Budget, bool] | None = None
        self._typed: tuple[str, ...] = ()
        self.epsilon = Number(8.0, lowest=0.0)
        self.epsilon.setToolTip("How far the stored values may be changed.")
        self.measure = box((), _MEASURED, letters=4)
        self.measure.addItem("", "native")
        self.norm = box(
            (), "\n".join(f"{name}: {words.format(_EITHER)}" for name, words in _MEANING.items()), letters=4
        )
        for name in BUDGETS:
            self.norm.addItem(name.capitalize(), name)
        self.norm.setMaximumWidth(80)
        self.hint = QLabel()
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        rows.addRow("Budget", row(self.epsilon, self.measure, self.norm, stretch=(2, 3, 1)))
        rows.addRow("", self.hint)
        self.epsilon.valueChanged.connect(lambda _: self._on_number())
        self.measure.currentIndexChanged.connect(lambda _: self._convert())
        self.norm.currentIndexChanged.connect(lambda _: self.suggest(stage.session.loaded))

    def budget(self) -> Budget:
        """The budget, in the unit of the series.

        Raises
        ------
        MedAdvError
            Nothing could change within it.
        """
        loaded, norm = self._stage.session.loaded, self.norm.currentData()
        if self._exact is not None and self._exact[1] == self._whole:
            return self._exact[0]
        if self._measured == "native" or loaded is None:
            return BUDGETS[norm](self.epsilon.number)
        kind = BUDGETS[norm](1.0).norm
        return Amount(self.epsilon.number, self._measured).budget(kind, loaded.volume, whole=self._whole)

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
        """Say what `budget` says, in the unit of the series."""
        self.norm.setCurrentIndex(self.norm.findData(budget.norm.lower()))
        self._offer_measures("native")
        self._show(budget)

    def suggest(self, loaded: Loaded | None) -> None:
        """A budget to begin with, in the measure that is chosen, where it can be; a number that was typed stays where it means the same."""
        if loaded is None:
            self.hint.setText("")
            return
        self._offer_measures(self._measured)
        if self._typed == self._counted:
            self.tell()
            return
        self._show(BUDGETS[self.norm.currentData()](default_epsilon(loaded.volume, self.norm.currentData())))

    def tell(self) -> None:
        """Say what the budget means for the series and who reads it."""
        loaded = self._stage.session.loaded
        if loaded is None:
            return
        try:
            self.hint.setText(meaning(self.budget(), loaded.volume, whole=self._whole, chosen=self._measured))
        except MedAdvError as error:
            self.hint.setText(str(error))
        self.hint.setToolTip(self.hint.text())

    @property
    def _whole(self) -> bool:
        reader = self._stage.session.classifier
        return reader is not None and reader.reads == "volume"

    def _offer_measures(self, chosen: Said) -> None:
        """The measures that there are for the series and the norm; the chosen one stays where it can."""
        loaded, norm = self._stage.session.loaded, self.norm.currentData()
        self.measure.blockSignals(True)
        self.measure.clear()
        unit = "" if loaded is None else loaded.volume.scale.unit
        self.measure.addItem(budget_unit(BUDGETS[norm](1.0), unit).removesuffix(" value"), "native")
        if loaded is not None and norm in ("linf", "l2") and measurable(loaded.volume.window):
            for name in get_args(Said)[1:]:
                if not (loaded.volume.colour and name == "jnd"):
                    self.measure.addItem(_NAMES[name], name)
        self.measure.setCurrentIndex(max(self.measure.findData(chosen), 0))
        self._measured = self.measure.currentData()
        self.measure.blockSignals(False)

    @property
    def _counted(self) -> tuple[str, ...]:
        """What the number counts."""
        return self.norm.currentData(), self._measured, self.measure.currentText()

    def _on_number(self) -> None:
        self._exact, self._typed = None, self._counted
        self.tell()

    def _convert(self) -> None:
        """Another measure: the same budget in it."""
        try:
            budget = self.budget()
        except MedAdvError:
            self._measured = self.measure.currentData()
            self._on_number()
            return
        self._measured = self.measure.currentData()
        self._show(budget)

    def _show(self, budget: Budget) -> None:
        """A budget in the chosen measure; it stays exact though its number is rounded."""
        loaded, number = self._stage.session.loaded, budget.epsilon
        if loaded is not None and self._measured != "native":
            means = stated(budget, loaded.volume.window, values(loaded.volume, whole=self._whole))
            number = float(f"{means['PSNR dB' if self._measured == 'psnr' else MEASURES[self._measured]]:.3g}")
        self.epsilon.blockSignals(True)
        self.epsilon.set_number(number)
        self.epsilon.blockSignals(False)
        self._exact, self._typed = (budget, self._whole), ()
        self.tell()


def meaning(budget: Budget, volume: Volume, *, whole: bool = False, chosen: Said = "native") -> str:
    """What a budget means in other measures than the chosen one, in a few words.

    `whole` where it is spent on the whole volume and not on each slice.
    """
    if budget.norm not in ("Linf", "L2") or not measurable(volume.window):
        return _MEANING[budget.norm.lower()].format("volume" if whole else "slice")
    means = stated(budget, volume.window, values(volume, whole=whole))
    each = "" if budget.norm == "Linf" else "mean "
    said = {
        "native": f"{means['native']:.3g} {several(volume.scale.unit)}",
        "percent": f"{means['% of window']:.2g} % of window",
        "grey": f"{means['grey level of 255']:.2g} of 255 greys",
        "jnd": f"{means['JND']:.2g} JND",
    }
    left = [words for name, words in said.items() if name != chosen and not (volume.colour and name == "jnd")]
    return each + ", ".join(left[:3])


def default_epsilon(volume: Volume, norm: str = "linf") -> float:
    """A budget to begin with: hard to see, never below one grey level, in the unit of the volume (voxels for L0)."""
    level, count = float(volume.scale.quantum.max()), volume.shape[1] * volume.shape[2]
    wished = 8.0 if volume.scale.unit == "HU" else grey_range(volume) / 100
    each = max(level, round(wished / level) * level)
    share = {"linf": 1.0, "l2": math.sqrt(count) / 4, "l1": count / 20}
    return float(f"{each * share[norm]:.2g}") if norm in share else float(max(1, count // 1000))

"""The budget in the measure of the person's choice: the same budget in each, as the command line has it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.threat import L2, Amount, Linf
from napari_medadv.volume import Window
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.budget_rows import BudgetRows
from napari_medadv.widgets.stage import stage_of
from tests.widgets.docking import dock


@pytest.fixture
def rows(viewer: Any, loaded: Loaded) -> BudgetRows:
    panel = dock(viewer, AttackPanel)
    stage_of(viewer).show(Loaded(replace(loaded.volume, windows=(Window(-600, 1500),)), loaded.series))
    found: BudgetRows = panel.form.budget
    return found


def choose(rows: BudgetRows, measure: str) -> None:
    rows.measure.setCurrentIndex(rows.measure.findData(measure))


def test_another_measure_shows_the_same_budget(rows: BudgetRows) -> None:
    rows.epsilon.setValue(8.0)
    shown = {}
    for name in ("percent", "grey", "jnd", "psnr", "native"):
        choose(rows, name)
        shown[name] = rows.epsilon.number
        assert rows.budget() == Linf(8.0)
    assert shown["native"] == 8 and shown["percent"] == pytest.approx(100 * 8 / 1499, rel=0.005)
    assert shown["psnr"] == pytest.approx(20 * math.log10(1499 / 8), rel=0.005)


@pytest.mark.parametrize(("measure", "number"), [("percent", 2.0), ("grey", 3.0), ("jnd", 5.0), ("psnr", 40.0)])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_what_is_typed_is_what_the_command_line_makes_of_it(
    rows: BudgetRows, measure: Any, number: float, norm: Any
) -> None:
    rows.norm.setCurrentText(norm)
    choose(rows, measure)
    rows.epsilon.setValue(number)
    loaded = rows._stage.session.loaded
    assert loaded is not None and rows.budget() == Amount(number, measure).budget(norm, loaded.volume)
    assert " HU, " in rows.hint.text()


def test_a_measure_of_the_root_mean_square_follows_who_reads(
    rows: BudgetRows, classifier: Classifier, viewer: Any
) -> None:
    rows.norm.setCurrentText("L2")
    choose(rows, "grey")
    rows.epsilon.setValue(2.0)
    one = rows.budget().epsilon
    stage_of(viewer).session.attach(replace(classifier, reads="volume"))
    loaded = stage_of(viewer).session.loaded
    assert loaded is not None and rows.budget().epsilon == pytest.approx(one * math.sqrt(loaded.volume.shape[0]))


def test_measures_that_say_nothing_are_not_offered(rows: BudgetRows, viewer: Any) -> None:
    choose(rows, "jnd")
    rows.norm.setCurrentText("L1")
    assert [rows.measure.itemText(index) for index in range(rows.measure.count())] == ["HU"]
    rows.norm.setCurrentText("Linf")
    assert rows.measure.currentText() == "HU" and rows.measure.count() == 5
    loaded = stage_of(viewer).session.loaded
    assert loaded is not None
    stage_of(viewer).show(Loaded(replace(loaded.volume, windows=(Window(0, 1),)), loaded.series))
    assert rows.measure.count() == 1


def test_a_budget_that_was_run_is_shown_exactly(rows: BudgetRows) -> None:
    choose(rows, "percent")
    rows.show_budget(L2(123.456789))
    assert rows.budget() == L2(123.456789) and rows.measure.currentText() == "HU"


def test_what_cannot_be_is_said(rows: BudgetRows) -> None:
    choose(rows, "percent")
    rows.epsilon.setValue(0.0)
    assert "positive" in rows.hint.text()
    choose(rows, "native")
    assert rows.epsilon.number == 0


def test_a_number_that_was_typed_stays_for_the_next_series_of_its_unit(rows: BudgetRows, viewer: Any) -> None:
    stage = stage_of(viewer)
    first = stage.session.loaded
    assert first is not None
    rows.epsilon.setValue(21.0)
    stage.show(Loaded(first.volume, first.series))
    assert rows.budget() == Linf(21.0)
    stage.show(Loaded(replace(first.volume, scale=replace(first.volume.scale, unit="Bq/ml")), first.series))
    assert rows.epsilon.number != 21 and rows.measure.currentText() == "Bq/ml"
    choose(rows, "percent")
    rows.epsilon.setValue(3.0)
    stage.show(Loaded(first.volume, first.series))
    assert rows.epsilon.number == 3 and rows.measure.currentData() == "percent"

"""The dock Attack in a real window: stopped, narrowed to a region, acquired again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.classifier import ClassifierPanel
from napari_medadv.widgets.stage import stage_of
from tests.widgets.docking import attacked, dock

Until = Callable[..., None]


def test_without_a_classifier_the_attack_says_what_is_missing(viewer: Any, loaded: Loaded) -> None:
    panel = dock(viewer, AttackPanel)
    stage_of(viewer).show(loaded)
    assert not panel.run_button.isEnabled()
    panel.run()
    assert panel.message.text() == "No classifier is attached: attach one first."


def test_a_cancelled_attack_leaves_nothing(viewer: Any, loaded: Loaded, slow: Classifier, until: Until) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(slow)
    panel.run()
    until(lambda: panel.bar.value() > 0)
    assert panel.cancel_button.isEnabled() and not panel.run_button.isEnabled()
    panel.cancel()
    until(lambda: panel.run_button.isEnabled())
    assert panel.message.text() == "The attack was stopped." and len(viewer.layers) == 1


def test_deleting_the_series_while_it_is_attacked_stops_the_attack(
    viewer: Any, loaded: Loaded, slow: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(slow)
    panel.run()
    until(lambda: panel.bar.value() > 0)
    viewer.layers.clear()
    until(lambda: not stage.work.busy)
    until(lambda: not panel.cancel_button.isEnabled())
    assert stage.session.loaded is None and len(viewer.layers) == 0


def test_changing_the_classifier_keeps_the_outcome_but_not_its_prediction(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    reading = dock(viewer, ClassifierPanel)
    attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    assert stage.session.after is not None
    other = Classifier(lambda values: classifier.network(values) - 1, classifier.findings, "HU", name="other")
    stage.session.attach(other)
    until(lambda: stage.session.prediction)
    assert stage.session.after is None and stage.session.outcome is not None
    assert "other" in reading.card.text()


def test_the_viewer_closes_while_an_attack_runs(
    make_napari_viewer_proxy: Any, loaded: Loaded, slow: Classifier, until: Until, qtbot: Any
) -> None:
    viewer = make_napari_viewer_proxy()
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(slow)
    panel.run()
    until(lambda: panel.bar.value() > 0)
    viewer.close()
    until(lambda: not stage.work.busy)


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_only_the_drawn_region_is_changed(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, kind: str
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    image = stage.layer(loaded)
    same = {"scale": image.scale, "affine": image.affine, "units": image.units}
    if kind == "labels":
        mask = np.zeros(loaded.volume.shape, np.uint8)
        mask[:, 8:18, 10:20] = 1
        viewer.add_labels(mask, name="here", **same)
    else:
        corners = [[0, 7.5, 9.5], [0, 7.5, 19.5], [0, 17.5, 19.5], [0, 17.5, 9.5]]
        viewer.add_shapes([corners], name="here", **same)
    viewer.layers.selection.active = image
    panel.form.region.layer.setCurrentText("here")
    panel.run()
    until(lambda: stage.session.outcome)
    changed = np.argwhere(stage.heat.data)
    assert set(changed[:, 0]) == {2, 3}
    assert changed[:, 1].min() >= 8 and changed[:, 1].max() < 18
    assert changed[:, 2].min() >= 10 and changed[:, 2].max() < 20


def test_what_is_to_be_avoided_stays_as_it_is(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    region = panel.form.region
    assert region.avoid.isHidden(), "there is no layer yet"
    stage.show(loaded)
    stage.session.attach(classifier)
    image = stage.layer(loaded)
    mask = np.zeros(loaded.volume.shape, np.uint8)
    mask[:, :16] = 1
    viewer.add_labels(mask, name="left alone", scale=image.scale, affine=image.affine, units=image.units)
    viewer.layers.selection.active = image
    for layer, avoid in ((region.layer, "left alone"), (region.avoid, "left alone")):
        layer.setCurrentText(avoid)
    panel.run()
    assert stage.session.outcome is None and "marks all of the region" in panel.message.text()
    region.layer.setCurrentIndex(0)
    panel.run()
    until(lambda: stage.session.outcome)
    changed = np.argwhere(stage.heat.data)
    assert len(changed) and changed[:, 1].min() >= 16


def test_the_result_is_acquired_again(viewer: Any, loaded: Loaded, classifier: Classifier, until: Until) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    assert panel.form.plan(loaded).retakes == 0
    panel.form.retakes.setValue(3)
    panel.form.attack.setCurrentIndex(panel.form.attack.findData("kspace"))
    assert panel.form.plan(loaded).retakes == 3, "another attack keeps it"
    panel.run()
    until(lambda: stage.session.outcome)
    outcome = stage.session.outcome
    assert outcome is not None and outcome.survival is not None and outcome.survival.times == 3
    assert "of 3 fresh acquisitions" in panel.message.text()


def test_an_attack_that_ended_as_another_series_came_is_told(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    panel.run()
    assert stage.work.wait(60)
    stage.show(Loaded(loaded.volume, loaded.series))
    until(lambda: panel.run_button.isEnabled())
    assert panel.message.text() == "The attack was stopped: another series is on the screen."


def test_what_a_budget_means_follows_the_classifier(viewer: Any, loaded: Loaded, classifier: Classifier) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    rows = panel.form.budget
    rows.norm.setCurrentText("L2")
    each = float(rows.hint.text().split()[1])
    stage.session.attach(replace(classifier, reads="volume"))
    assert float(rows.hint.text().split()[1]) == pytest.approx(each / np.sqrt(6), rel=0.05)
    rows.norm.setCurrentText("L1")
    assert rows.hint.text() == "summed changes in a volume"


def test_slices_that_still_show_the_finding_are_told(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    stage.go(2)
    panel.form.region.slices.setCurrentIndex(1)
    panel.run()
    until(lambda: stage.session.outcome)
    assert "Concealed, judged as stored" in panel.message.text()
    assert "for the series as a whole the classifier still says nodule" in panel.message.text()


def test_closing_the_dock_does_not_lose_what_is_being_saved(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    panel, _ = attacked(viewer, loaded, classifier, until)
    until(lambda: not stage_of(viewer).work.busy)
    gate = threading.Event()
    stage_of(viewer).work.start(lambda _: gate.wait(20), "Waiting", writes=True)
    panel.save(tmp_path / "out")
    viewer.window.remove_dock_widget(panel)
    gate.set()
    assert stage_of(viewer).work.wait(20)
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_the_goal_that_was_chosen_while_the_series_is_read_stays(
    viewer: Any, loaded: Loaded, classifier: Classifier
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    goal, said = panel.form.goal, classifier.predict(loaded.volume)
    stage.session.prediction = said
    assert goal.kind.currentData() == "conceal"
    goal.kind.setCurrentIndex(goal.kind.findData("confuse"))
    goal.kind.activated.emit(goal.kind.currentIndex())  # as a click does
    stage.session.prediction = replace(said)
    assert goal.kind.currentData() == "confuse"
    stage.show(Loaded(loaded.volume, loaded.series))
    stage.session.prediction = said
    assert goal.kind.currentData() == "conceal"


def test_the_goal_of_an_attack_stays_when_its_series_is_read_again(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    panel, outcome = attacked(viewer, loaded, classifier, until)
    stage, goal = stage_of(viewer), panel.form.goal
    stage.show(Loaded(loaded.volume, loaded.series))
    goal.kind.setCurrentIndex(goal.kind.findData("confuse"))
    viewer.layers.selection.active = stage.layer(outcome)
    stage.session.prediction = replace(outcome.perturbation.before)
    assert goal.kind.currentData() == "confuse"

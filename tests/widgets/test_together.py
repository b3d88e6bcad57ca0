"""One perturbation learned on every series in the window, from the dock Attack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QLineEdit

from napari_medadv.attacks.repeated import Repeated
from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded, Outcome
from napari_medadv.model import Classifier
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.nouns import noun_of
from napari_medadv.widgets.stage import stage_of
from tests.dicom.making import dataset, write
from tests.widgets.docking import dock

Until = Callable[..., None]


@pytest.fixture
def other(tmp_path: Path) -> Loaded:
    """Another CT of three slices with the same spot."""
    for index in range(3):
        voxels = np.full((32, 32), 150, np.int16)
        voxels[10:16, 12:18] = 1123
        made = dataset("CT", index, voxels=voxels)
        made.SeriesInstanceUID, made.SOPInstanceUID = "1.2.3.99", f"1.2.3.99.{index + 1}"
        write(made, tmp_path / "other" / f"{index}.dcm")
    (series,) = scan(tmp_path / "other")
    return Loaded(decode(series), series)


def form_of(panel: AttackPanel, attack: str, file: Path | str) -> None:
    """Choose the attack, every series in the window, and the file."""
    form = panel.form
    form.attack.setCurrentIndex(form.attack.findData(attack))
    form.learn_on.setCurrentIndex(1)
    keep = form.settings.findChild(QLineEdit, "keep")
    assert keep is not None
    keep.setText(str(file))


def test_one_perturbation_for_every_series_in_the_window(
    viewer: Any, loaded: Loaded, other: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    stage, panel, file = stage_of(viewer), dock(viewer, AttackPanel), tmp_path / "one.npz"
    stage.show(other)
    stage.show(loaded)
    stage.session.attach(classifier)
    form_of(panel, "universal", file)
    panel.form.budget.epsilon.set_number(21.0)
    panel.run()
    until(lambda: panel.run_button.isEnabled())
    assert panel.form.budget.epsilon.number == 21.0
    assert "Reached in 2 of 2 series" in panel.message.text() and "one.npz" in panel.message.text()
    outcomes = [noun_of(layer) for layer in viewer.layers if isinstance(noun_of(layer), Outcome)]
    assert {outcome.loaded for outcome in outcomes} == {loaded, other} and stage.session.loaded is loaded
    changes = {
        outcome.loaded: outcome.perturbation.adversarial.voxels.astype(int) - outcome.perturbation.clean.voxels
        for outcome in outcomes
    }
    assert changes[loaded][2].any() and np.array_equal(changes[loaded][2], changes[other][0]) and file.exists()
    assert all(isinstance(outcome.perturbation.attack, Repeated) for outcome in outcomes)


def test_a_cancelled_one_keeps_nothing(
    viewer: Any, loaded: Loaded, other: Loaded, slow: Classifier, until: Until, tmp_path: Path
) -> None:
    stage, panel, file = stage_of(viewer), dock(viewer, AttackPanel), tmp_path / "one.npz"
    stage.show(other)
    stage.show(loaded)
    stage.session.attach(slow)
    form_of(panel, "universal", file)
    panel.run()
    until(lambda: panel.bar.value() > 0)
    panel.cancel()
    until(lambda: panel.run_button.isEnabled())
    assert panel.message.text() == "The attack was stopped." and len(viewer.layers) == 2 and not file.exists()


def test_the_choice_is_there_only_for_attacks_that_learn(viewer: Any) -> None:
    form = dock(viewer, AttackPanel).form
    assert not form.learn_on.isVisibleTo(form)
    form.attack.setCurrentIndex(form.attack.findData("patch"))
    assert form.learn_on.isVisibleTo(form)


def test_what_cannot_be_learned_together_is_one_sentence(
    viewer: Any, loaded: Loaded, other: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    stage, panel, taken = stage_of(viewer), dock(viewer, AttackPanel), tmp_path / "scan.npz"
    taken.write_bytes(b"something else")
    stage.session.attach(classifier)

    def said(file: Path | str) -> str:
        form_of(panel, "universal", file)
        panel.run()
        until(lambda: panel.run_button.isEnabled())
        return str(panel.message.text())

    stage.show(loaded)
    assert "Only one series" in said(tmp_path / "one.npz")
    stage.show(other)
    assert "name one under Keep" in said("")
    assert "not written over" in said(taken) and taken.read_bytes() == b"something else"
    panel.form.retakes.setValue(3)
    assert "set Retakes to none" in said(tmp_path / "one.npz")
    panel.form.region.slices.setCurrentIndex(1)
    assert "choose the whole image" in said(tmp_path / "one.npz")
    assert len(viewer.layers) == 2

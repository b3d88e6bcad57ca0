"""A clumsy person at the window: layers renamed, cleared and hidden, docks closed and opened, many files dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.widgets.attack import AttackPanel, told
from napari_medadv.widgets.series import SeriesPanel
from napari_medadv.widgets.stage import stage_of
from tests.widgets.docking import attacked, dock

Until = Callable[..., None]


def test_everything_is_cleared_at_once(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, qtbot: Any
) -> None:
    attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    assert len(viewer.layers) == 3
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    qtbot.wait(50)
    assert len(viewer.layers) == 0 and stage.session.loaded is None and stage.session.outcome is None


def test_a_region_is_the_layer_and_not_its_name(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    image, mask = stage.layer(loaded), np.zeros(loaded.volume.shape, np.uint8)
    mask[:, 8:18, 10:20] = 1
    layer = viewer.add_labels(mask, name="first", scale=image.scale, affine=image.affine, units=image.units)
    viewer.layers.selection.active = image
    panel.form.region.layer.setCurrentText("first")
    layer.name = "second"
    assert panel.form.region.layer.currentText() == "second"
    panel.run()
    until(lambda: stage.session.outcome)
    changed = np.argwhere(stage.heat.data)
    assert changed[:, 1].min() >= 8 and changed[:, 1].max() < 18


def test_labels_of_another_dimension_are_a_sentence(viewer: Any, loaded: Loaded, classifier: Classifier) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    viewer.add_labels(np.ones((32, 32), np.uint8), name="flat")
    viewer.layers.selection.active = stage.layer(loaded)
    panel.form.region.layer.setCurrentText("flat")
    panel.run()
    assert "has 2 axes, and a series has 3" in panel.message.text()


def test_labels_are_shown_as_they_are_written(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    marked = Classifier(classifier.network, Findings(("<b>nodule</b>", "effusion"), "sigmoid"), "HU", name="spot")
    _, outcome = attacked(viewer, loaded, marked, until)
    assert "&lt;b&gt;nodule&lt;/b&gt;" in told(outcome.perturbation)


def test_only_the_series_in_question_is_on_the_screen(viewer: Any, loaded: Loaded) -> None:
    stage = stage_of(viewer)
    dock(viewer, AttackPanel)
    stage.show(loaded)
    other = Loaded(replace(loaded.volume, voxels=loaded.volume.voxels + np.int16(1)), loaded.series)
    stage.show(other)
    assert stage.layer(other).visible and not stage.layer(loaded).visible


def test_a_dock_that_was_closed_leaves_no_listener_behind(viewer: Any, loaded: Loaded, qtbot: Any) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    before = stage.panels
    viewer.window.remove_dock_widget(panel)
    qtbot.wait(50)
    assert stage.panels == before - 1
    again = dock(viewer, AttackPanel)
    stage.show(loaded)
    again.run()
    assert again.message.text() == "No classifier is attached: attach one first."


def test_several_dropped_files_are_told(viewer: Any, ct_folder: Path) -> None:
    panel, mime = dock(viewer, SeriesPanel), QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in ct_folder.iterdir()])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    panel.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert "6 files or folders were dropped: drop one folder that holds them all" in panel.message.text()

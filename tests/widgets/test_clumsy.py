"""A clumsy person at the window: layers renamed, cleared and hidden, docks closed and opened, many files dropped."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_medadv.display import Loaded
from napari_medadv.errors import RegionError, SeriesError
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.progress import Progress
from napari_medadv.widgets import series as series_dock
from napari_medadv.widgets.attack import AttackPanel, told
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.provenance import ProvenancePanel
from napari_medadv.widgets.reading import read
from napari_medadv.widgets.regions import mask_of
from napari_medadv.widgets.series import SeriesPanel
from napari_medadv.widgets.stage import stage_of
from tests.widgets.docking import attacked, dock
from tests.widgets.test_media import zipped

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


def test_a_region_whose_layer_is_deleted_is_not_the_whole_image(
    viewer: Any, loaded: Loaded, classifier: Classifier
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    region = panel.form.region
    for name in ("here", "there"):
        viewer.add_labels(np.ones(loaded.volume.shape, np.uint8), name=name)
    viewer.layers.selection.active = stage.layer(loaded)
    region.layer.setCurrentText("here")
    for name in ("here", "there"):
        del viewer.layers[name]
        assert region.layer.currentText() == "here (deleted)"
    panel.run()
    assert "The layer 'here' was deleted: choose another, or 'whole image'." in panel.message.text()
    assert stage.session.outcome is None
    region.layer.setCurrentIndex(0)
    viewer.add_labels(np.ones(loaded.volume.shape, np.uint8), name="another")
    assert [region.layer.itemText(row) for row in range(region.layer.count())] == ["whole image", "another"]
    assert region.region(loaded).mask is None


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


def drop(panel: SeriesPanel, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    panel.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, keys))


def test_files_of_one_series_that_are_dropped_open_it(
    viewer: Any, ct_folder: Path, until: Until, tmp_path: Path
) -> None:
    crowd = tmp_path / "downloads"
    shutil.copytree(ct_folder, crowd)
    for each in ct_folder.iterdir():
        other = dcmread(each)
        other.SeriesInstanceUID, other.SeriesNumber = "1.2.3.4.5", 1
        other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        other.save_as(crowd / f"a{each.name}")
    panel = dock(viewer, SeriesPanel)
    for meant, uid in (("a", "1.2.3.4.5"), ("", dcmread(next(ct_folder.iterdir())).SeriesInstanceUID)):
        drop(panel, *(crowd / f"{meant}{each.name}" for each in list(ct_folder.iterdir())[:3]))
        assert panel.message.text() == "3 files were dropped: the folder that holds them is read as a whole."
        until(lambda uid=uid: panel.session.loaded is not None and panel.session.loaded.series.uid == uid)
        assert panel.list.count() == 2 and panel.session.loaded is not None
        assert len(panel.session.loaded.volume.voxels) == 6


def test_what_is_dropped_from_several_folders_is_told(viewer: Any, ct_folder: Path, tmp_path: Path) -> None:
    panel = dock(viewer, SeriesPanel)
    first, *_ = ct_folder.iterdir()
    for others in ([shutil.copy(first, tmp_path)], [ct_folder]):
        drop(panel, first, *map(Path, others))
        assert "2 files or folders were dropped: drop one folder that holds them all" in panel.message.text()


def test_a_zip_file_is_opened_by_napari_itself(viewer: Any, ct_folder: Path, tmp_path: Path) -> None:
    viewer.open(zipped(ct_folder, tmp_path), plugin=None)
    (layer,) = viewer.layers
    assert layer.data.shape[0] == 6 and layer.metadata


def test_a_copy_of_the_layer_may_go(viewer: Any, loaded: Loaded, classifier: Classifier, until: Until) -> None:
    _, outcome = attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    for noun in (loaded, outcome):
        values, settings, kind = stage.layer(noun).as_layer_data_tuple()
        copy = viewer.add_layer(type(stage.layer(noun)).create(values, {**settings, "name": "copy"}, kind))
        viewer.layers.remove(copy)
        assert stage.session.loaded is loaded and stage.session.outcome is outcome


def test_the_source_may_go_while_its_adversarial_version_stays(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    _, outcome = attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    viewer.layers.remove(stage.layer(loaded))
    assert stage.session.outcome is outcome and stage.heat is not None
    stage.go(4)
    assert stage.session.index == 4
    viewer.layers.remove(stage.layer(outcome))
    assert stage.session.loaded is None and stage.heat is None


def test_blinking_shows_the_clean_series_of_two(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage = stage_of(viewer)
    other = Loaded(replace(loaded.volume, voxels=loaded.volume.voxels + np.int16(1)), loaded.series)
    stage.show(other)
    _, outcome = attacked(viewer, loaded, classifier, until)
    panel = dock(viewer, OverlayPanel)
    panel.blink.setChecked(True)
    until(lambda: not stage.layer(outcome).visible)
    assert stage.layer(loaded).visible and not stage.layer(other).visible
    panel.blink.setChecked(False)


def test_an_outline_lies_where_it_was_drawn(viewer: Any, loaded: Loaded) -> None:
    flat = viewer.add_shapes(ndim=2, name="drawn before anything was loaded")
    stage_of(viewer).show(loaded)
    image = stage_of(viewer).layer(loaded)
    (top, left), (bottom, right) = (image.data_to_world((2, row, column))[1:] for row, column in ((9, 11), (16, 18)))
    flat.add_rectangles(np.array([[top, left], [bottom, right]]))
    marked = np.argwhere(mask_of(flat, image, loaded.volume)[2])
    assert marked.min(axis=0).tolist() == [9, 11] and marked.max(axis=0).tolist() == [16, 18]
    across = viewer.add_shapes(ndim=3, name="coronal", scale=image.scale, affine=image.affine, units=image.units)
    across.add_rectangles(np.array([[1, 12, 10], [1, 12, 20], [4, 12, 20], [4, 12, 10]]))
    with pytest.raises(RegionError, match="was drawn across the slices"):
        mask_of(across, image, loaded.volume)


def test_slices_are_counted_as_on_the_slider(viewer: Any, loaded: Loaded) -> None:
    stage, panel = stage_of(viewer), dock(viewer, AttackPanel)
    stage.show(loaded)
    rows = panel.form.region
    rows.slices.setCurrentIndex(2)
    assert (rows.first.value(), rows.last.value()) == (0, 5)
    rows.first.setValue(2)
    rows.last.setValue(3)
    assert rows.region(loaded).slices == (2, 3)
    assert viewer.dims.nsteps[0] == 6 and viewer.dims.current_step[0] == stage.session.index


def test_looking_for_series_can_be_cancelled(
    viewer: Any, ct_folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(path: Path, *, progress: Progress) -> Any:
        while True:
            begun.set()
            progress(0.0, "looking into folders")
            time.sleep(0.01)

    panel = dock(viewer, SeriesPanel)
    with monkeypatch.context() as patched:
        patched.setattr(series_dock, "scan", endless)
        panel.open(ct_folder)
        until(begun.is_set)
        assert not panel.cancel_button.isHidden()
        panel.cancel_button.click()
        until(panel.message.text)
        assert panel.message.text() == "Reading the folder was stopped."
        until(panel.cancel_button.isHidden)
        panel.open(ct_folder)
    panel.open(ct_folder)  # the person turns to another folder while the first is still read
    until(lambda: stage_of(viewer).session.loaded)
    until(panel.bar.isHidden)
    assert not panel.message.text()


def test_files_of_one_series_are_no_series_each(ct_folder: Path) -> None:
    with pytest.raises(SeriesError, match="Several files of one series were named"):
        read([str(path) for path in sorted(ct_folder.iterdir())])


def test_signing_goes_on_when_another_series_is_shown(
    viewer: Any, loaded: Loaded, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def sign(*args: Any) -> tuple[str, int]:
        assert go.wait(20)
        return "somebody", 6

    monkeypatch.setattr("napari_medadv.widgets.provenance.sign_copies", sign)
    stage, panel = stage_of(viewer), dock(viewer, ProvenancePanel)
    stage.show(loaded)
    for path in (panel.key, panel.certificate):
        path.line.setText(str(tmp_path / "key.pem"))
    panel.sign(tmp_path / "signed")
    stage.show(Loaded(loaded.volume, loaded.series))
    assert panel.message.text() == "Signing…" and panel.cancel_button.isEnabled()
    go.set()
    until(lambda: panel.message.text() != "Signing…")
    assert panel.message.text().startswith("6 files signed by somebody are in signed")

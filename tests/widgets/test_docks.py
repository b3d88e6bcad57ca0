"""The docks in a real window, one person's way through them, and what can go wrong on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.table import Table
from napari_medadv.threat import Conceal
from napari_medadv.volume import Window
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.classifier import ClassifierPanel
from napari_medadv.widgets.nouns import noun_of
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.series import SeriesPanel
from napari_medadv.widgets.shown import spoken
from napari_medadv.widgets.stage import stage_of
from tests.dicom.making import dataset, write
from tests.widgets.docking import attacked, dock

Until = Callable[..., None]


def test_from_a_folder_to_a_fooled_classifier_and_back_to_dicom(
    viewer: Any, ct_folder: Path, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    series, reading, attack = dock(viewer, SeriesPanel), dock(viewer, ClassifierPanel), dock(viewer, AttackPanel)
    stage = stage_of(viewer)
    series.open(ct_folder)
    until(lambda: stage.session.loaded)
    assert series.list.count() == 1 and "6 slices, 32 × 32" in series.list.item(0).text()
    stage.session.attach(classifier)
    until(lambda: stage.session.prediction)
    assert stage.session.prediction is not None
    assert reading.bars.isVisibleTo(reading) and stage.session.prediction.present == ("nodule",)
    assert attack.form.goal.goal() == Conceal("nodule")
    assert attack.form.budget.epsilon.number == 8 and attack.form.budget.measure.currentText() == "HU"
    stage.go(0)
    attack.run()
    until(lambda: stage.session.outcome)
    outcome = stage.session.outcome
    assert outcome is not None and outcome.perturbation.reached and "Concealed" in attack.message.text()
    assert viewer.dims.current_step[0] == stage.session.index == outcome.difference.strongest in (2, 3)
    source, adversarial, heat = stage.layer(stage.session.loaded), stage.layer(outcome), stage.heat
    for layer in (adversarial, heat):
        assert np.allclose(layer.scale, source.scale) and layer.units == source.units
        assert layer.axis_labels == source.axis_labels == ("S", "P", "L")
        assert np.allclose(layer.extent.world, source.extent.world)
    assert np.array_equal(adversarial.data - source.data, heat.data)
    attack.save(tmp_path / "derived")
    until(lambda: "Saved" in attack.message.text())
    (derived,) = scan(tmp_path / "derived")
    assert np.array_equal(decode(derived).voxels, outcome.perturbation.adversarial.voxels)
    viewer.layers.remove(adversarial)
    assert stage.session.outcome is None and stage.heat is None and len(viewer.layers) == 1


def test_one_session_for_all_docks_of_a_viewer(viewer: Any) -> None:
    assert dock(viewer, SeriesPanel).session is dock(viewer, OverlayPanel).session


def test_a_radiograph_has_letters_at_its_edges(viewer: Any, tmp_path: Path) -> None:
    path = write(dataset("CR", PatientOrientation=["L", "F"]), tmp_path / "a.dcm")
    series = scan(path)[0]
    stage_of(viewer).show(Loaded(decode(series), series))
    places = ("top_center", "bottom_center", "middle_left", "middle_right")
    overlays = [viewer.canvas.overlays[f"medadv_{place}"] for place in places]
    assert [each.text for each in overlays] == ["S", "I", "R", "L"] and all(each.visible for each in overlays)


def test_a_sigmoid_and_a_display_table_are_drawn_as_their_curve(viewer: Any, loaded: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    layer = stage.layer(loaded)
    for window in (Window(100, 200, "SIGMOID"), Window.from_table(Table(0, np.linspace(0, 1, 300) ** 3), "soft")):
        stage.window(window)
        low, high = layer.contrast_limits
        values = np.linspace(low, high, 50)
        drawn = layer.colormap.map(np.linspace(0, 1, 50))[:, 0]
        assert np.abs(drawn - window.grey(values)).max() < 0.01
    assert spoken(window, "HU") == "Display table of the file, 0 to 299 HU"
    stage.window(Window(40, 400))
    assert layer.colormap.name == "gray"


def test_windows_follow_buttons_and_keys_on_both_series(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    stage.window(Window(40, 400))
    for noun in (loaded, stage.session.outcome):
        assert tuple(stage.layer(noun).contrast_limits) == Window(40, 400).limits
    assert {"1", "2", "3"} <= {str(key) for key in stage.layer(loaded).keymap}
    values = loaded.volume.values()
    for noun in (loaded, stage.session.outcome):
        low, high = stage.layer(noun).contrast_limits_range
        assert low <= values.min() and high >= values.max(), "the sliders reach what no window shows"


def test_the_curve_follows_the_slider_and_a_click_moves_it(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, ClassifierPanel)
    stage.show(loaded)
    stage.session.attach(classifier)
    until(lambda: stage.session.prediction)
    viewer.dims.set_current_step(0, 2)
    assert stage.session.index == 2 and panel.curve.here == 2
    stage.go(4)
    assert viewer.dims.current_step[0] == 4 and panel.curve.here == 4


def test_letters_stand_around_the_picture_and_the_readout_tells_the_place(
    viewer: Any, loaded: Loaded, classifier: Classifier
) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    overlays = viewer.canvas.overlays
    assert [
        overlays[f"medadv_{place}"].text for place in ("top_center", "bottom_center", "middle_left", "middle_right")
    ] == [
        "A",
        "P",
        "R",
        "L",
    ]
    viewer.dims.order = (1, 0, 2)
    assert overlays["medadv_bottom_center"].text == "I", "the head is up"
    layer = stage.layer(loaded)
    event = type("Event", (), {"position": layer.data_to_world((2, 12, 14))})()
    stage.point_at(viewer, event)
    assert stage.session.readout == "100 HU   L 0.5  A 14.0  S 10.0 mm"


def test_a_bad_folder_is_one_sentence(viewer: Any, tmp_path: Path, until: Until) -> None:
    panel = dock(viewer, SeriesPanel)
    (tmp_path / "empty").mkdir()
    panel.open(tmp_path / "empty")
    until(lambda: panel.message.text())
    assert "empty holds no files" in panel.message.text() and len(viewer.layers) == 0


def test_a_model_that_is_none_is_one_sentence(viewer: Any, tmp_path: Path, until: Until) -> None:
    panel = dock(viewer, ClassifierPanel)
    panel.path.setText(str(tmp_path / "model.pt2"))
    panel.attach()
    until(lambda: "Loading" not in panel.message.text())
    assert "model.pt2" in panel.message.text() and stage_of(viewer).session.classifier is None
    panel.path.setText("mine:make")
    assert panel.trust.isEnabled() and not panel.trust.isChecked()


def test_the_overlay_tells_numbers_and_restyles_the_heat_map(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    panel, stage = dock(viewer, OverlayPanel), stage_of(viewer)
    attacked(viewer, loaded, classifier, until)
    until(lambda: stage.session.distortion)
    assert panel.numbers["Linf"].text() == "8 HU" and "dB" in panel.numbers["PSNR"].text()
    panel.full.set_number(4)
    assert tuple(stage.heat.contrast_limits) == (-4, 4)
    panel.threshold.set_number(3)
    panel.kind.setCurrentText("relative")
    assert panel.full.suffix() == " %" and tuple(stage.heat.contrast_limits) == (-4, 4)
    assert panel.full.number == pytest.approx(400 / 1499, rel=1e-3) and stage.session.heat.threshold == 3
    panel.shown.setChecked(False)
    assert not stage.heat.visible
    panel.blink.setChecked(True)
    until(lambda: not stage.layer(stage.session.outcome).visible)
    panel.blink.setChecked(False)
    assert stage.layer(stage.session.outcome).visible


def test_napari_reads_writes_and_lists_the_plug_in(
    viewer: Any, ct_folder: Path, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    (layer,) = viewer.open(str(ct_folder), plugin="napari-medadv")
    stage = stage_of(viewer)
    assert isinstance(noun_of(layer), Loaded) and stage.session.loaded is noun_of(layer)
    stage.session.attach(classifier)
    panel = dock(viewer, AttackPanel)
    panel.run()
    until(lambda: stage.session.outcome)
    written = stage.layer(stage.session.outcome).save(str(tmp_path / "out.dcm"), plugin="napari-medadv")
    assert len(written) == 6
    with pytest.raises(Exception, match="no adversarial series"):
        layer.save(str(tmp_path / "clean.dcm"), plugin="napari-medadv")

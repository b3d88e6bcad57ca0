"""The docks in a real window, one person's way through them, and what can go wrong on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded, Outcome
from napari_medadv.model import Classifier
from napari_medadv.table import Table
from napari_medadv.threat import Conceal
from napari_medadv.volume import Window
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.classifier import ClassifierPanel
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.series import SeriesPanel
from napari_medadv.widgets.shown import spoken
from napari_medadv.widgets.stage import noun_of, stage_of
from tests.dicom.making import dataset, write

Until = Callable[..., None]


def dock(viewer: Any, kind: type[Any]) -> Any:
    panel = kind(viewer)
    viewer.window.add_dock_widget(panel, name=kind.__name__)
    return panel


def attacked(viewer: Any, loaded: Loaded, classifier: Classifier, until: Until) -> tuple[Any, Outcome]:
    stage = stage_of(viewer)
    stage.show(loaded)
    stage.session.attach(classifier)
    panel = dock(viewer, AttackPanel)
    panel.run()
    until(lambda: stage.session.outcome is not None or panel.message.text())
    assert stage.session.outcome is not None, panel.message.text()
    return panel, stage.session.outcome


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
    assert attack.form.budget.epsilon.number == 8 and attack.form.budget.epsilon.suffix() == " HU"
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

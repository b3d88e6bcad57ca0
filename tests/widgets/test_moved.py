"""What a person does to our layers with napari's own tools: moved, mirrored, painted over, copied, restyled, deleted."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded
from napari_medadv.errors import OutputError
from napari_medadv.model import Classifier
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.writing import write_image
from tests.dicom.making import dataset, write
from tests.widgets.docking import Until, attacked, dock


def letters(viewer: Any) -> list[str]:
    places = [f"medadv_{place}" for place in ("top_center", "bottom_center", "middle_left", "middle_right")]
    there = [viewer.canvas.overlays[place] for place in places]
    return [each.text if each.visible else "" for each in there]


def test_a_picture_that_was_mirrored_or_turned_names_no_sides(viewer: Any, loaded: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    layer = stage.layer(loaded)
    before = letters(viewer)
    assert before == ["A", "P", "R", "L"]
    filed = np.asarray(layer.affine.affine_matrix).copy()
    layer.affine = filed @ np.diag([1.0, 1.0, -1.0, 1.0])
    assert letters(viewer) == ["", "", "", ""]
    layer.affine = filed
    assert letters(viewer) == before
    layer.rotate = (0, 0, 20)
    assert letters(viewer) == ["", "", "", ""]
    layer.rotate = (0, 0, 0)
    layer.scale, layer.translate = 2 * np.asarray(layer.scale), (5, 5, 5)
    assert letters(viewer) == before, "larger and elsewhere, but the same way round"
    layer.visible = False
    assert letters(viewer) == ["", "", "", ""]


def test_what_is_made_of_a_moved_series_lies_over_it(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    source = stage.layer(loaded)
    source.scale, source.translate, source.rotate = 2 * np.asarray(source.scale), (3, 40, 0), (0, 0, 30)
    _, outcome = attacked(viewer, loaded, classifier, until)
    for layer in (stage.layer(outcome), stage.heat):
        assert np.allclose(layer.extent.world, source.extent.world)
        assert np.allclose(layer.data_to_world((1, 2, 3)), source.data_to_world((1, 2, 3)))


def test_changed_pixels_and_copies_are_no_series_of_ours(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    from napari.layers._layer_actions import _duplicate_layer

    stage = stage_of(viewer)
    _, outcome = attacked(viewer, loaded, classifier, until)
    layer = stage.layer(loaded)
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)
    assert stage.series == (loaded,)
    adversarial = stage.layer(outcome)
    adversarial.data = adversarial.data * 0
    assert stage.session.outcome is None and stage.session.loaded is loaded
    with pytest.raises(OutputError, match="pixels were changed"):
        write_image(str(tmp_path / "a.dcm"), adversarial.data, {"metadata": adversarial.metadata, "name": "a"})
    layer.data = layer.data * 0
    assert stage.session.loaded is None and stage.series == ()


def test_the_overlay_follows_what_is_done_to_its_layer(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    panel = dock(viewer, OverlayPanel)
    attacked(viewer, loaded, classifier, until)
    stage: Any = stage_of(viewer)
    stage.heat.contrast_limits = (-2, 1)
    assert tuple(stage.heat.contrast_limits) == (-2, 2) and panel.full.number == 2 and stage.session.heat.full == 2
    stage.heat.opacity = 0.25
    assert panel.opacity.value() == 25 and panel.percent.text() == "25 %" and stage.session.heat.opacity == 0.25
    panel.opacity.setValue(80)
    assert stage.heat.opacity == 0.8 and tuple(stage.heat.contrast_limits) == (-2, 2)
    stage.heat.visible = False
    assert not panel.shown.isChecked()
    viewer.layers.remove(stage.heat)
    assert stage.heat is None and not panel.shown.isChecked() and panel.shown.isEnabled()
    panel.shown.click()
    (again,) = (layer for layer in viewer.layers if layer.name == "difference")
    assert again.visible and again.opacity == 0.8
    panel.shown.click()
    assert not again.visible


def test_what_was_under_the_cursor_is_not_told_of_the_next_series(viewer: Any, loaded: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    stage.session.readout = "100 HU"
    stage.show(Loaded(loaded.volume, loaded.series))
    assert stage.session.readout == ""


def test_a_small_series_fills_the_canvas_beside_a_large_hidden_one(viewer: Any, loaded: Loaded, tmp_path: Path) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    alone = viewer.scene.camera.zoom
    large = dataset("CT", voxels=np.zeros((640, 640), np.int16))
    large.SeriesInstanceUID = "1.2.3.4"
    (series,) = scan(write(large, tmp_path / "large.dcm"))
    stage.show(Loaded(decode(series), series))
    assert viewer.scene.camera.zoom < alone / 5
    stage.show(loaded)
    assert viewer.scene.camera.zoom == pytest.approx(alone, rel=0.05)


def test_a_series_that_was_closed_leaves_the_memory(
    viewer: Any, ct_folder: Path, classifier: Classifier, until: Until
) -> None:
    panel = dock(viewer, AttackPanel)
    dock(viewer, OverlayPanel)
    (series,) = scan(ct_folder)
    stage, (_, outcome) = stage_of(viewer), attacked(viewer, Loaded(decode(series), series), classifier, until)
    until(lambda: stage.session.distortion)
    kept = weakref.ref(outcome.perturbation.adversarial.voxels)
    until(lambda: not stage.work.busy and panel.run_button.isEnabled())
    del outcome
    viewer.layers.clear()

    def gone() -> bool:
        gc.collect()
        return kept() is None

    until(gone)

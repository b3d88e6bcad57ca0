"""What is told of the picture is true of what is on the screen: another series, another plane, layers that napari made of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded
from napari_medadv.errors import OutputError
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.volume import Window
from napari_medadv.widgets.classifier import ClassifierPanel
from napari_medadv.widgets.nouns import noun_of
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.regions import mask_of
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.suspicion import Sign
from napari_medadv.widgets.suspicion_layer import suspicion_layer
from napari_medadv.widgets.writing import write_image
from tests.dicom.making import dataset, write
from tests.widgets.docking import attacked, dock

Until = Callable[..., None]
PLACES = ("top_center", "bottom_center", "middle_left", "middle_right")


@pytest.fixture
def radiograph(tmp_path: Path) -> Loaded:
    series = scan(write(dataset("CR", PatientOrientation=["L", "F"], ImagerPixelSpacing=[1, 1]), tmp_path / "a.dcm"))[0]
    return Loaded(decode(series), series)


def letters(viewer: Any) -> str:
    return " ".join(viewer.canvas.overlays[f"medadv_{place}"].text or "-" for place in PLACES)


@pytest.mark.parametrize("plane", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_a_radiograph_is_held_as_stored_after_any_plane(
    viewer: Any, loaded: Loaded, radiograph: Loaded, plane: tuple[int, ...]
) -> None:
    stage = stage_of(viewer)
    stage.show(loaded)
    viewer.dims.order = plane
    stage.show(radiograph)
    assert tuple(viewer.dims.order) == (0, 1, 2), "in another plane it would be a line"
    assert [str(way) for way in viewer.scene.camera.orientation[1:]] == ["down", "right"]
    assert letters(viewer) == "S I R L"


def test_letters_and_values_are_those_of_what_is_seen(viewer: Any, loaded: Loaded, radiograph: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(radiograph)
    stage.show(loaded)
    there, other = stage.layer(loaded), stage.layer(radiograph)
    event = SimpleNamespace(position=there.data_to_world((2, 12, 14)))
    other.visible = True
    assert letters(viewer) == "- - R L", "up is the front of one and the head of the other"
    there.visible = False
    assert letters(viewer) == "S I R L"
    stage.point_at(viewer, event)
    assert stage.session.readout == ""
    there.visible, other.visible = True, False
    stage.point_at(viewer, event)
    assert letters(viewer) == "A P R L" and stage.session.readout.startswith("100 HU")


def test_what_napari_makes_of_a_series_is_not_the_series(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    _, outcome = attacked(viewer, loaded, classifier, until)
    stage = stage_of(viewer)
    source, layer = stage.layer(loaded), stage.layer(outcome)
    labels = viewer.add_labels(np.asarray(source.data).astype(np.int32), metadata=source.metadata)
    flat = viewer.add_image(np.asarray(layer.data).max(axis=0), metadata=layer.metadata)
    viewer.layers.move(viewer.layers.index(labels), 0)
    assert noun_of(labels) is None and noun_of(flat) is None
    stage.window(Window(40, 400))
    assert tuple(source.contrast_limits) == Window(40, 400).limits
    with pytest.raises(OutputError, match="is no adversarial series"):
        write_image(str(tmp_path / "flat.tif"), flat.data, {"metadata": flat.metadata, "name": flat.name})
    viewer.layers.remove(layer)
    viewer.layers.remove(source)
    assert stage.session.loaded is None and stage.session.outcome is None


def test_labels_of_turned_axes_mark_where_they_lie(viewer: Any, loaded: Loaded) -> None:
    square = Loaded(replace(loaded.volume, affine=np.eye(4)[[2, 1, 0, 3]]), loaded.series)
    stage_of(viewer).show(square)
    image, painted = stage_of(viewer).layer(square), np.zeros(square.volume.shape, np.uint8)
    painted[1, 4, 20] = 1
    turned = viewer.add_labels(painted, affine=np.eye(4)[[0, 2, 1, 3]], units=image.units)
    assert np.argwhere(mask_of(turned, image, square.volume)).tolist() == [[1, 20, 4]]


def test_long_names_of_findings_do_not_widen_the_dock(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage, panel = stage_of(viewer), dock(viewer, ClassifierPanel)
    long = Findings(("Verdacht auf " + "sehr " * 20 + "kleinen Rundherd", "effusion"), "sigmoid")
    stage.show(loaded)
    stage.session.attach(Classifier(classifier.network, long, "HU", name="spot"))
    until(lambda: stage.session.prediction)
    assert panel.minimumSizeHint().width() < 420


def test_another_series_takes_the_adversarial_version_of_the_last_off_the_screen(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until
) -> None:
    stage = stage_of(viewer)
    other = Loaded(replace(loaded.volume, voxels=loaded.volume.voxels + np.int16(1)), loaded.series)
    stage.show(other)
    _, outcome = attacked(viewer, loaded, classifier, until)
    sign = Sign("residual", "", None, 0, "", (), np.ones(loaded.volume.shape, np.float32))
    over = [
        viewer.add_image(values, **style)
        for values, style, _ in (suspicion_layer(sign, each) for each in (loaded, outcome))
    ]
    viewer.layers.selection.active = stage.layer(other)
    assert [layer for layer in viewer.layers if layer.visible] == [stage.layer(other)]
    viewer.layers.selection.active = stage.layer(outcome)
    over[0].visible = over[1].visible = True
    viewer.layers.remove(stage.layer(outcome))
    assert stage.layer(loaded).visible and over[0].visible and not over[1].visible


def test_blinking_ends_with_its_dock(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, qtbot: Any
) -> None:
    _, outcome = attacked(viewer, loaded, classifier, until)
    layer, panel = stage_of(viewer).layer(outcome), dock(viewer, OverlayPanel)
    panel.blink.setChecked(True)
    until(lambda: not layer.visible)
    viewer.window.remove_dock_widget(panel)
    assert layer.visible and not panel._timer.isActive()

"""Examine dock: with a reference, without one, with the wrong one; words that never say clean; heat maps; stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medadv.detect import calibrate, write_reference
from napari_medadv.detect.noise_margin import NoiseMargin
from napari_medadv.detect.squeeze import Squeeze
from napari_medadv.display import Loaded
from napari_medadv.errors import Cancelled
from napari_medadv.model import Classifier
from napari_medadv.progress import silent
from napari_medadv.widgets.examine import ExaminePanel
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.suspicion import Suspicion, look
from napari_medadv.widgets.suspicion_words import details, overall, summary


@pytest.fixture
def known(classifier: Classifier) -> Classifier:
    return replace(classifier, sha256="5" * 64)


@pytest.fixture
def reference(known: Classifier, loaded: Loaded, tmp_path: Path) -> Path:
    """Of twenty noisy copies of the series."""
    rng = np.random.default_rng(1)
    shape = loaded.volume.shape
    clean = [
        loaded.volume.with_voxels((loaded.volume.voxels + rng.integers(-9, 10, shape)).astype(np.int16))
        for _ in range(20)
    ]
    write_reference(calibrate([Squeeze(), NoiseMargin(copies=2)], known, clean), tmp_path / "reference.json")
    return tmp_path / "reference.json"


def words(found: Suspicion) -> str:
    return " ".join([summary(found), overall(found), *map(details, found.signs)])


def test_without_a_reference_those_answer_that_need_none(loaded: Loaded, classifier: Classifier) -> None:
    bare = look(loaded.volume, loaded.series, None, None, 0.05, silent)
    assert [sign.detector for sign in bare.signs] == ["header"] and "No classifier is attached" in bare.missing[0]
    found = look(loaded.volume.with_voxels(loaded.volume.voxels), None, classifier, None, 0.05, silent)
    assert found.signs == () and found.examination is None
    assert any("medadv calibrate" in sentence for sentence in found.missing)
    assert any("needs 7, not 6" in sentence for sentence in found.missing)
    assert "No verdict" in words(found)


def test_with_a_reference_there_are_p_values_and_what_would_evade_them(
    loaded: Loaded, known: Classifier, reference: Path
) -> None:
    found = look(loaded.volume, loaded.series, known, reference, 0.05, silent)
    assert [(sign.detector, sign.p is None) for sign in found.signs] == [("squeeze", False), ("header", True)]
    assert found.signs[0].cost == Squeeze().passes * 6 and found.signs[0].where is not None
    assert found.examination is not None and 0 < found.examination.p <= 1
    said = words(found)
    assert "noise_margin was calibrated with other settings" in said and "evade this" in said
    assert "does not mean clean" in said if not found.examination.alarm else "Suspicious" in said


@pytest.mark.parametrize(("level", "digest", "told"), [(0.01, "5", "needs at least 99"), (0.05, "6", "another model")])
def test_a_reference_that_does_not_serve_is_refused_and_the_rest_is_told(
    loaded: Loaded, known: Classifier, reference: Path, level: float, digest: str, told: str
) -> None:
    found = look(loaded.volume, loaded.series, replace(known, sha256=digest * 64), reference, level, silent)
    assert told in found.refusal and found.examination is None
    assert [sign.detector for sign in found.signs] == ["header"]


def test_from_the_button_to_a_heat_map_over_the_series(
    viewer: Any, loaded: Loaded, known: Classifier, reference: Path, until: Callable[..., None]
) -> None:
    stage, panel = stage_of(viewer), ExaminePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Examine")
    assert not panel.run_button.isEnabled() and not panel.what.isEnabled()
    stage.show(loaded)
    stage.session.attach(known)
    panel.reference.set_path(reference)
    panel.run()
    assert panel.cancel_button.isEnabled()
    until(lambda: panel.found)
    items: Any = [panel.list.topLevelItem(row) for row in range(3)]
    assert [item.text(0) for item in items] == ["all together", "squeeze", "header"]
    assert (
        "together p =" in panel.message.text()
        and "by all of them, an attack made by who knows them" in panel.words.toPlainText()
    )
    panel.list.setCurrentItem(panel.list.topLevelItem(1))
    assert "forward passes" in panel.words.toPlainText()
    panel.go()
    assert panel.found is not None and stage.session.index == panel.found.signs[0].slices[0]
    for _ in range(2):
        panel.show_heat()
    (heat,) = [layer for layer in viewer.layers if layer.name == "suspicion: squeeze"]
    source = stage.layer(loaded)
    assert np.allclose(heat.extent.world, source.extent.world) and heat.units == source.units
    panel.list.setCurrentItem(panel.list.topLevelItem(2))
    assert not panel.heat_button.isEnabled()
    assert panel.found.examination is not None
    for alarm in (False, True):
        p = 0.01 if alarm else 0.9
        evidence = tuple(replace(each, p=p) for each in panel.found.examination.evidence)
        panel.found = replace(panel.found, examination=replace(panel.found.examination, p=p, evidence=evidence))
        panel._tell()
        assert panel.region_button.isEnabled() == alarm
    panel.save_region(reference.parent / "region.dcm")
    assert "squeeze" in panel.message.text()
    assert pydicom.dcmread(reference.parent / "region.dcm").Modality == "SEG"
    panel.save_region(reference.parent / "region.dcm")
    assert "exists already" in panel.message.text()
    stage.session.attach(None)
    assert panel.list.topLevelItemCount() == 0 and not panel.message.text()


def test_an_examination_can_be_stopped(
    viewer: Any, loaded: Loaded, slow: Classifier, reference: Path, until: Callable[..., None]
) -> None:
    stage, panel = stage_of(viewer), ExaminePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Examine")
    stage.show(loaded)
    stage.session.attach(replace(slow, sha256="5" * 64, batch=1))
    panel.reference.set_path(reference)
    panel.run()
    until(lambda: panel.bar.value() > 0)
    panel.cancel()
    until(lambda: panel.run_button.isEnabled())
    assert panel.message.text() == "The examination was stopped." and panel.found is None


def test_without_a_reference_it_can_be_stopped_too(loaded: Loaded, classifier: Classifier) -> None:
    asked = []

    def stop(share: float, words: str) -> None:
        asked.append(words)
        if words == "residual looks where":
            raise Cancelled("The examination")

    volume = replace(loaded.volume, voxels=np.concatenate([loaded.volume.voxels] * 2))
    with pytest.raises(Cancelled):
        look(volume, None, replace(classifier, batch=1), None, 0.05, stop)
    assert asked[-1] == "residual looks where"


def test_what_was_found_in_one_series_is_not_told_of_the_next(
    viewer: Any, loaded: Loaded, until: Callable[..., None]
) -> None:
    stage, panel = stage_of(viewer), ExaminePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Examine")
    stage.show(loaded)
    panel.run()
    assert stage.work.wait(20)  # it ended, and the window has not heard of it yet
    stage.show(Loaded(loaded.volume, loaded.series))
    until(lambda: panel.run_button.isEnabled())
    assert panel.found is None and panel.list.topLevelItemCount() == 0

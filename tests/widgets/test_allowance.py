"""A series with a gap in the window: refused, allowed by a tick, and then every result says so."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from napari_medadv.audit.panel import write_panel
from napari_medadv.dicom.series import scan
from napari_medadv.display.layers import FACTS
from napari_medadv.measure import distortion
from napari_medadv.model import Classifier
from napari_medadv.room import SHARE, mapped
from napari_medadv.slicewise import Slicewise
from napari_medadv.widgets.commands import show
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.thumbnail import thumbnail
from tests.dicom.making import dataset, write

FACT = "allowed by choice: 1 slice is missing"


def test_a_gap_is_allowed_by_a_tick_and_told_everywhere(
    viewer: Any, ct_folder: Path, classifier: Classifier, until: Callable[..., None], tmp_path: Path, monkeypatch: Any
) -> None:
    (ct_folder / "4.dcm").unlink()
    stage, panel, attack = stage_of(viewer), show(viewer, "Series"), show(viewer, "Attack")
    panel.open(ct_folder)
    until(lambda: panel.list.count() == 1)
    assert ("with a problem" in panel.list.item(0).text() and not stage.work.busy) or stage.session.loaded is None
    assert list(panel.allowance.boxes) == ["gap"] and panel.allowance.isVisibleTo(panel)
    assert not panel.allowance.boxes["gap"].isChecked() and not panel.load_button.isEnabled()
    panel.allowance.boxes["gap"].setChecked(True)
    assert panel.load_button.isEnabled()
    panel.load_button.click()
    until(lambda: stage.session.loaded)
    loaded = stage.session.loaded
    assert loaded is not None and loaded.allow == ("gap",) and FACT in loaded.volume.facts[0]
    assert FACT in stage.layer(loaded).metadata[FACTS][0]
    stage.session.attach(classifier)
    attack.run()
    until(lambda: stage.session.outcome)
    outcome = stage.session.outcome
    assert outcome is not None and FACT in stage.layer(outcome).metadata[FACTS][0]
    attack.save(tmp_path / "derived")
    until(lambda: "Saved" in attack.message.text())
    written = pydicom.dcmread(next((tmp_path / "derived").iterdir()))
    assert FACT in written.DerivationDescription
    drawn: list[str] = []
    fill = textwrap.fill

    def noting(words: str, width: int) -> str:
        drawn.append(words)
        return fill(words, width)

    monkeypatch.setattr(textwrap, "fill", noting)
    found = outcome.perturbation
    write_panel(found, distortion(found.clean, found.adversarial), tmp_path / "panel.png")
    assert len(drawn) == 1 and FACT in drawn[0]


def test_a_series_that_nobody_may_allow_has_no_box(viewer: Any, ct_folder: Path, until: Callable[..., None]) -> None:
    write(dataset("CT", 2, voxels=np.full((32, 32), 7, np.int16), SOPInstanceUID="1.2.3"), ct_folder / "more.dcm")
    write(dataset("CT", 3, voxels=np.full((32, 32), 7, np.int16), SOPInstanceUID="1.2.4"), ct_folder / "yet.dcm")
    panel = show(viewer, "Series")
    panel.open(ct_folder)
    until(lambda: panel.list.count())
    for row in range(panel.list.count()):
        panel.list.setCurrentRow(row)
        series = panel._chosen()
        hopeless = any(problem.kind == "duplicate" for problem in series.problems)
        assert panel.load_button.isEnabled() is not hopeless
        if hopeless:
            assert not panel.allowance.boxes and panel.allowance.isVisibleTo(panel)
            panel.list.itemDoubleClicked.emit(panel.list.item(row))
            until(lambda: "already" in panel.message.text())


def test_a_large_series_is_shown_from_its_file(
    viewer: Any, ct_folder: Path, until: Callable[..., None], monkeypatch: Any
) -> None:
    monkeypatch.setenv(SHARE, "0")
    stage, panel = stage_of(viewer), show(viewer, "Series")
    panel.open(ct_folder)
    until(lambda: stage.session.loaded)
    loaded = stage.session.loaded
    assert loaded is not None and mapped(loaded.volume.voxels)
    layer = stage.layer(loaded)
    assert isinstance(layer.data, Slicewise)
    stage.go(2)
    assert layer.get_value((2, 12, 14)) == 100
    for order in ((1, 0, 2), (2, 0, 1)):
        viewer.dims.order = order
    viewer.dims.order = (0, 1, 2)
    viewer.dims.ndisplay = 3


def test_a_thumbnail_reads_one_slice_of_a_series_with_a_gap(ct_folder: Path) -> None:
    (ct_folder / "4.dcm").unlink()
    (series,) = scan(ct_folder)
    middle = series.slices[len(series.slices) // 2].instance.path
    for instance in series.instances:
        if instance.path != middle:
            instance.path.unlink()
    assert thumbnail(series, lambda *_: None) is not None

"""Objects for other viewers from the dock Attack: what is ticked is written, and what cannot be is greyed with its reason."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medadv.audit.objects import KINDS
from napari_medadv.dicom import decode, scan
from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.object_boxes import ObjectBoxes
from napari_medadv.widgets.stage import stage_of
from tests.dicom.making import dataset, write

Until = Callable[..., None]
CLASSES = {
    "difference": "1.2.840.10008.5.1.4.1.1.30",
    "region": "1.2.840.10008.5.1.4.1.1.66.4",
    "verdicts": "1.2.840.10008.5.1.4.1.1.88.33",
    "picture": "1.2.840.10008.5.1.4.1.1.7",
}


def attack(viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, first: int | None = None) -> AttackPanel:
    panel = AttackPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Attack")
    stage_of(viewer).show(loaded)
    stage_of(viewer).session.attach(classifier)
    if first is not None:
        panel.form.region.slices.setCurrentIndex(2)
        panel.form.region.first.setValue(first)
    panel.run()
    until(lambda: panel.session.outcome is not None or panel.message.text())
    assert panel.session.outcome is not None, panel.message.text()
    return panel


def save(panel: AttackPanel, out: Path, until: Until) -> str:
    panel.save(out)
    until(lambda: panel.message.text() and panel.message.text() != "Saving…")
    return panel.message.text()


def test_what_is_ticked_is_written_beside_the_series(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    panel = attack(viewer, loaded, classifier, until, first=2)
    for box in panel.objects.boxes.values():
        assert box.isEnabled() and not box.isChecked()
        box.setChecked(True)
    said = save(panel, tmp_path / "out", until)
    assert said == "Saved 6 files with difference and picture and region and verdicts to out, marked as synthetic."
    found = {path.stem: pydicom.dcmread(path) for path in (tmp_path / "out" / "objects").iterdir()}
    assert {name: ds.SOPClassUID for name, ds in found.items()} == CLASSES
    derived, outcome = scan(tmp_path / "out" / "series")[0], panel.session.outcome
    assert outcome is not None
    assert (decode(derived).voxels == outcome.perturbation.adversarial.voxels).all()
    shown = decode(scan(tmp_path / "out" / "objects" / "difference.dcm")[0])
    assert np.array_equal(shown.voxels, np.asarray(outcome.difference.values))
    region = decode(scan(tmp_path / "out" / "objects" / "region.dcm")[0])
    assert region.voxels.sum() == 4 * 32 * 32, "slices 2 to 5 were allowed"
    assert all(derived.study_uid == ds.StudyInstanceUID for ds in found.values())


def test_one_tick_writes_one_object(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    panel = attack(viewer, loaded, classifier, until)
    region = panel.objects.boxes["region"]
    assert not region.isEnabled() and "allowed everywhere" in region.toolTip()
    panel.objects.boxes["verdicts"].setChecked(True)
    assert save(panel, tmp_path / "out", until) == "Saved 6 files with verdicts to out, marked as synthetic."
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["objects", "series"]
    assert [path.name for path in (tmp_path / "out" / "objects").iterdir()] == ["verdicts.dcm"]
    assert "is not empty" in save(panel, tmp_path / "out", until)


def test_an_image_without_a_place_takes_no_map(
    viewer: Any, classifier: Classifier, until: Until, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    voxels = np.full((32, 32), 150, np.int16)
    voxels[10:16, 12:18] = 300
    write(dataset("CT", voxels=voxels, ImagePositionPatient=None, RescaleIntercept=0), tmp_path / "in" / "a.dcm")
    (series,) = scan(tmp_path / "in")
    panel = attack(viewer, Loaded(decode(series), series), classifier, until)
    boxes = panel.objects.boxes
    assert not boxes["difference"].isEnabled() and "neither where it lies" in boxes["difference"].toolTip()
    assert boxes["verdicts"].isEnabled() and boxes["picture"].isEnabled()


def test_without_highdicom_and_before_an_attack_each_box_says_why(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = ObjectBoxes()
    assert all("Run an attack" in each.toolTip() and not each.isEnabled() for each in boxes.boxes.values())
    monkeypatch.setitem(sys.modules, "highdicom", None)
    panel = attack(viewer, loaded, classifier, until)
    for kind in KINDS:
        panel.objects.boxes[kind].setChecked(True)
        assert not panel.objects.boxes[kind].isEnabled() and "pip install" in panel.objects.boxes[kind].toolTip()
    assert panel.objects.kinds == ()

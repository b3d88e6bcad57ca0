"""Zip files, a DICOMDIR on a medium that cannot be written, and a disk that fills up, through the docks."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_medadv.model import Classifier
from napari_medadv.widgets.series import SeriesPanel
from tests.cli.test_full_disk import full
from tests.dicom.test_find import medium
from tests.widgets.docking import attacked, dock

Until = Callable[..., None]


def zipped(ct_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "from a colleague.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in ct_folder.iterdir():
            archive.write(each, f"deep/{each.name}")
    return path


def read_only(ct_folder: Path, tmp_path: Path) -> Path:
    path = medium(ct_folder, tmp_path / "cd")
    for each in (*path.parent.rglob("*"), path.parent):
        each.chmod(0o555 if each.is_dir() else 0o444)
    return path


@pytest.mark.parametrize("packed", [zipped, read_only])
def test_a_series_from_a_medium_is_loaded_attacked_and_saved(
    packed: Callable[[Path, Path], Path],
    viewer: Any,
    ct_folder: Path,
    classifier: Classifier,
    until: Until,
    tmp_path: Path,
) -> None:
    path = packed(ct_folder, tmp_path)
    before = {each: each.read_bytes() for each in (path, *path.parent.rglob("*.dcm")) if each.is_file()}
    series = dock(viewer, SeriesPanel)
    series.open(path)
    until(lambda: series.session.loaded is not None or series.message.text(), 120)
    assert series.session.loaded is not None, series.message.text()
    assert series.session.loaded.volume.shape[0] == 6
    panel, _ = attacked(viewer, series.session.loaded, classifier, until)
    panel.save(tmp_path / "out")
    until(lambda: "marked as synthetic" in panel.message.text())
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 6
    assert all(each.read_bytes() == content for each, content in before.items())


def test_a_full_disk_is_told_in_the_dock_and_leaves_nothing(
    viewer: Any, loaded: Any, classifier: Classifier, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, _ = attacked(viewer, loaded, classifier, until)
    monkeypatch.setattr(importlib.import_module("napari_medadv.dicom.save"), "dcmwrite", full)
    panel.save(tmp_path / "out")
    until(lambda: "No space left on device" in panel.message.text())
    assert [each.name for each in tmp_path.iterdir()] == ["ct"]
    monkeypatch.undo()
    panel.save(tmp_path / "out")
    until(lambda: "marked as synthetic" in panel.message.text())

"""The dock Series and folders as they are: junk among the images, files that go or change between a look and the next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_medadv.widgets.series import SeriesPanel
from tests.dicom.making import dataset, write

Until = Callable[..., None]


def opened(viewer: Any, path: Path, until: Until) -> SeriesPanel:
    panel = SeriesPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Series")
    panel.open(path)
    until(lambda: panel.list.count() or panel.message.text())
    return panel


def test_files_that_were_not_read_are_counted_and_named(viewer: Any, ct_folder: Path, until: Until) -> None:
    for index in range(25):
        (ct_folder / f"{index} – Größe.txt").write_text("no image")
    panel = opened(viewer, ct_folder, until)
    until(lambda: panel.session.loaded, 120)
    assert panel.unread.isVisibleTo(panel) and panel.unread.text().startswith("25 files were not read")
    tip = panel.unread.toolTip().splitlines()
    assert "0 – Größe.txt is not a DICOM file" in tip[0] and tip[-1].startswith("and 5 more") and len(tip) == 21
    for index in range(25):
        (ct_folder / f"{index} – Größe.txt").unlink()
    panel.open(ct_folder)
    until(lambda: not panel.unread.isVisibleTo(panel))


def test_a_file_that_goes_or_changes_after_it_was_listed(viewer: Any, ct_folder: Path, until: Until) -> None:
    write(dataset("CR"), ct_folder / "radiograph.dcm")  # two series: neither is loaded by itself
    panel = opened(viewer, ct_folder, until)
    assert panel.list.count() == 2 and panel.session.loaded is None
    panel.list.setCurrentRow(0)
    first = panel._chosen()
    assert first is not None
    if first.modality != "CT":
        panel.list.setCurrentRow(1)
    whole = (ct_folder / "3.dcm").read_bytes()
    (ct_folder / "3.dcm").unlink()
    panel.load()
    until(lambda: "3.dcm cannot be read (No such file" in panel.message.text())
    (ct_folder / "3.dcm").write_bytes(whole + b"\0\0")
    panel.load()
    until(lambda: "3.dcm cannot be decoded: it changed since it was listed; open its folder" in panel.message.text())


def test_what_the_first_image_needs_is_imported_beside_the_window() -> None:
    code = "import sys; from napari_medadv.widgets.warm import warm; warm(); assert 'scipy.ndimage' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

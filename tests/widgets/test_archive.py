"""Archive dock: search, pull, stop, go on, open; addresses that are none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from napari_medadv.dicom.dimse import Dimse
from napari_medadv.dicom.remote import RemoteSeries
from napari_medadv.dicom.series import scan
from napari_medadv.widgets import archive as archive_dock
from napari_medadv.widgets.archive import ArchivePanel
from napari_medadv.widgets.commands import show
from napari_medadv.widgets.stage import stage_of


@dataclass
class Shelf:
    """An archive in memory; every image takes its time."""

    files: dict[str, bytes]
    seconds: float = 0.0

    def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
        found = RemoteSeries("1.2.3", "1.2", "CT", "thorax", 4, len(self.files))
        return (found,) if modality in ("", "CT") else ()

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        return frozenset(self.files)

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        for uid in sorted(wanted):
            time.sleep(self.seconds)
            receive(uid, self.files[uid])


@pytest.fixture
def shelf(ct_folder: Path) -> Shelf:
    return Shelf({each.sop_uid: each.path.read_bytes() for each in scan(ct_folder)[0].instances})


def test_a_pull_is_stopped_goes_on_and_is_opened(
    viewer: Any, shelf: Shelf, tmp_path: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = show(viewer, "Archive")
    assert panel.search_button.isEnabled() and not panel.pull_button.isEnabled() and not panel.cancel_button.isEnabled()
    monkeypatch.setattr(panel, "archive", lambda: shelf)
    panel.modality.setText("mr")
    panel.search()
    until(lambda: "no series that fits" in panel.message.text())
    panel.modality.setText("ct")
    panel.search()
    until(lambda: panel.list.topLevelItemCount() == 1 and panel.search_button.isEnabled())
    assert not panel.pull_button.isEnabled()
    panel.list.setCurrentItem(panel.list.topLevelItem(0))
    assert panel.pull_button.isEnabled()
    shelf.seconds = 0.2
    panel.pull(tmp_path / "pulled")
    until(lambda: panel.bar.value() > 0)
    panel.cancel()
    until(lambda: panel.pull_button.isEnabled())
    arrived = len(list((tmp_path / "pulled").rglob("*.dcm")))
    assert 0 < arrived < 6 and "stopped" in panel.message.text()
    shelf.seconds = 0.0
    panel.pull(tmp_path / "pulled")
    stage = stage_of(viewer)
    until(lambda: stage.session.loaded)
    assert stage.session.loaded is not None and stage.session.loaded.volume.shape == (6, 32, 32)
    assert panel.message.text().startswith("6 images are in series_")


def test_a_search_that_hangs_is_stopped_at_once_and_nothing_waits_for_it(
    viewer: Any, shelf: Shelf, ct_folder: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, answer = show(viewer, "Archive"), threading.Event()

    class Silent(Shelf):
        def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
            assert answer.wait(60)
            return super().search()

    monkeypatch.setattr(panel, "archive", lambda: Silent(shelf.files))
    panel.search()
    stuck = panel._job
    until(lambda: panel.bar.isVisibleTo(panel))
    show(viewer, "Series").open(ct_folder)
    until(lambda: stage_of(viewer).session.loaded)
    panel.cancel()
    assert panel.message.text() == "The search was stopped." and panel.search_button.isEnabled()
    monkeypatch.setattr(panel, "archive", lambda: shelf)
    panel.search()
    until(lambda: panel.list.topLevelItemCount() == 1 and panel.search_button.isEnabled())
    answer.set()
    assert stuck.done.wait(10)
    until(lambda: True)
    assert panel.list.topLevelItemCount() == 1


def test_a_pull_that_hangs_is_given_up_and_goes_on(
    viewer: Any, shelf: Shelf, tmp_path: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_dock, "PATIENCE", 50)
    panel, answer = show(viewer, "Archive"), threading.Event()

    class Silent(Shelf):
        def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
            first, *_ = sorted(wanted)
            receive(first, self.files[first])
            assert answer.wait(60)

    monkeypatch.setattr(panel, "archive", lambda: Silent(shelf.files))
    panel.search()
    until(lambda: panel.list.topLevelItemCount() == 1 and panel.search_button.isEnabled())
    panel.list.setCurrentItem(panel.list.topLevelItem(0))
    panel.pull(tmp_path / "pulled")
    stuck = panel._job
    until(lambda: list((tmp_path / "pulled").rglob("*.dcm")))
    panel.cancel()
    assert panel.message.text() == "Stopping…"
    until(lambda: panel.pull_button.isEnabled())
    assert panel.message.text() == "The pull was stopped."
    monkeypatch.setattr(panel, "archive", lambda: shelf)
    panel.pull(tmp_path / "pulled")
    until(lambda: "6 images" in panel.message.text())
    answer.set()
    assert stuck.done.wait(10) and len(list((tmp_path / "pulled").rglob("*.dcm"))) == 6


def test_addresses(viewer: Any) -> None:
    panel = ArchivePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Archive")
    panel.address.setText("archive")
    panel.search()
    assert "http://" in panel.message.text() and panel.list.topLevelItemCount() == 0
    panel.way.setCurrentIndex(1)
    panel.search()
    assert "HOST:PORT" in panel.message.text()
    panel.address.setText("archive:104")
    assert panel.archive() == Dimse("archive", 104, "ANY-SCP", "MEDADV", 11112)

"""Photograph: a picture of the whole window with one dock in front."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QApplication

from napari_medadv.widgets.commands import bring
from napari_medadv.widgets.stage import stage_of


def settle(viewer: Any, seconds: float = 0.5, limit: float = 120.0) -> None:
    """Let the window draw, and wait for work under way."""
    start = time.monotonic()
    while time.monotonic() - start < limit:
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() - start > seconds and not stage_of(viewer).work.busy:
            break
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.01)


def photograph(viewer: Any, panel: Any, path: Path) -> None:
    """Save the window as it is on the screen, with the panel's dock in front."""
    bring(panel)
    settle(viewer)
    viewer.reset_view()
    settle(viewer)
    viewer.screenshot(str(path), canvas_only=False, flash=False)

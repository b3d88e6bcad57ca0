"""Commands of the menus and the palette."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from npe2 import PluginManager, PluginManifest
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_medadv.display import presets
from napari_medadv.volume import Window
from napari_medadv.widgets.panel import Panel
from napari_medadv.widgets.stage import stage_of

PLUGIN = "napari-medadv"
DOCKS = ("Series", "Classifier", "Attack", "Overlay")
FURTHER = ("Examine", "Provenance", "Tags", "Archive")
"""Docks that are opened when they are asked for."""


def register() -> None:
    """Make napari know the plug-in where it runs from a checkout that was not installed."""
    manager = PluginManager.instance()
    manager.discover()
    if PLUGIN not in manager:
        manager.register(PluginManifest.from_file(Path(__file__).parent.parent / "napari.yaml"))


def show(viewer: Viewer, name: str) -> Any:
    """Show a dock, or bring it to the front; its panel. However it was opened, there is one of each."""
    ours = [panel for panel in viewer.window.dock_widgets.values() if isinstance(panel, Panel)]
    kind = getattr(import_module(f"napari_medadv.widgets.{name.lower()}"), f"{name}Panel")
    panel = next((panel for panel in ours if isinstance(panel, kind)), None)
    if panel is None:
        panel = kind(viewer)
        viewer.window.add_dock_widget(panel, name=name, area="right", tabify=bool(ours))
    bring(panel)
    return panel


def bring(panel: QWidget) -> None:
    """Put the dock of a panel in front."""
    dock: Any = panel.parent()
    while dock is not None and not isinstance(dock, QDockWidget):
        dock = dock.parent()
    if dock is not None:
        dock.show()
        dock.raise_()


def show_all(viewer: Viewer) -> None:
    """Show every dock, as tabs, the first in front."""
    for name in (*DOCKS, *FURTHER, DOCKS[0]):
        show(viewer, name)


def show_series(viewer: Viewer) -> None:
    """Show the dock Series."""
    show(viewer, "Series")


def show_classifier(viewer: Viewer) -> None:
    """Show the dock Classifier."""
    show(viewer, "Classifier")


def show_attack(viewer: Viewer) -> None:
    """Show the dock Attack."""
    show(viewer, "Attack")


def show_overlay(viewer: Viewer) -> None:
    """Show the dock Overlay."""
    show(viewer, "Overlay")


def show_examine(viewer: Viewer) -> None:
    """Show the dock Examine."""
    show(viewer, "Examine")


def show_provenance(viewer: Viewer) -> None:
    """Show the dock Provenance."""
    show(viewer, "Provenance")


def show_archive(viewer: Viewer) -> None:
    """Show the dock Archive."""
    show(viewer, "Archive")


def show_tags(viewer: Viewer) -> None:
    """Show the dock Tags."""
    show(viewer, "Tags")


def window_file(viewer: Viewer) -> None:
    """Show the series under the window that its file names first."""
    loaded = stage_of(viewer).session.loaded
    if loaded is not None:
        stage_of(viewer).window(loaded.volume.window)


def window_named(viewer: Viewer, name: str) -> None:
    """Show a series under a window by name; does nothing where the series has none of that name."""
    loaded = stage_of(viewer).session.loaded
    window: Window | None = presets(loaded.volume).get(name) if loaded is not None else None
    if window is None:
        viewer.status = f"The window {name} needs a loaded CT series."
        return
    stage_of(viewer).window(window)


def window_lung(viewer: Viewer) -> None:
    """Lung window."""
    window_named(viewer, "Lung")


def window_mediastinum(viewer: Viewer) -> None:
    """Mediastinum window."""
    window_named(viewer, "Mediastinum")


def window_bone(viewer: Viewer) -> None:
    """Bone window."""
    window_named(viewer, "Bone")


def window_brain(viewer: Viewer) -> None:
    """Brain window."""
    window_named(viewer, "Brain")

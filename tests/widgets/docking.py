"""A dock in the window, and an attack run from its dock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_medadv.display import Loaded, Outcome
from napari_medadv.model import Classifier
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.stage import stage_of

Until = Callable[..., None]


def dock(viewer: Any, kind: type[Any]) -> Any:
    panel = kind(viewer)
    viewer.window.add_dock_widget(panel, name=kind.__name__)
    return panel


def attacked(viewer: Any, loaded: Loaded, classifier: Classifier, until: Until) -> tuple[Any, Outcome]:
    stage = stage_of(viewer)
    stage.show(loaded)
    stage.session.attach(classifier)
    panel = dock(viewer, AttackPanel)
    panel.run()
    until(lambda: stage.session.outcome is not None or panel.message.text())
    assert stage.session.outcome is not None, panel.message.text()
    return panel, stage.session.outcome

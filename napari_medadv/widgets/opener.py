"""Opener: a viewer with all docks, for `medadv view` and `medadv demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSize

from napari_medadv.attacks import Perturbation
from napari_medadv.dicom.series import Series
from napari_medadv.display import Loaded, Outcome
from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.model import Classifier
from napari_medadv.widgets.stage import stage_of

_SIZE = QSize(1280, 800)


def view(
    path: Path | None = None, model: Path | str | None = None, *, trust_code: bool = False, block: bool = True
) -> Any:
    """Open napari with all docks; load the series at `path` and attach `model`, if they are given.

    Parameters
    ----------
    path
        A DICOM file or folder; where it holds several series, the dock lists them.
    model
        A model file, a card, or a factory `module:callable`.
    trust_code
        Whether a factory may run its code.
    block
        Whether to return only after the window was closed.
    """
    viewer, panels = _open()
    if path is not None:
        panels["Series"].open(path)
    if model is not None:
        panel = panels["Classifier"]
        panel.path.setText(str(model))
        panel.trust.setChecked(trust_code)
        panel.attach()
    return _run(viewer, block)


def show_demo(
    series: Series,
    classifier: Classifier,
    perturbation: Perturbation,
    *,
    pictures: Path | None = None,
    block: bool = True,
) -> Any:
    """Open napari with a series that was attacked: overlaid, with both predictions.

    Parameters
    ----------
    series
        What `perturbation.clean` was decoded from.
    classifier
        Who was fooled.
    perturbation
        How.
    pictures
        A folder for one screenshot a dock, or None for none.
    block
        Whether to return only after the window was closed.
    """
    viewer, panels = _open()
    stage = stage_of(viewer)
    loaded = Loaded(perturbation.clean, series)
    stage.session.attach(classifier)
    stage.show(loaded)
    stage.session.prediction = perturbation.before
    difference = signed_difference(perturbation.clean, perturbation.adversarial)
    stage.show_outcome(Outcome(loaded, classifier, perturbation, difference))
    panels["Attack"].form.show_run(perturbation)
    if pictures is not None:
        from napari_medadv.widgets.photograph import photograph

        pictures.mkdir(parents=True, exist_ok=True)
        for name, panel in panels.items():
            photograph(viewer, panel, pictures / f"{name.lower()}.png")
    return _run(viewer, block)


def panels_of(viewer: Any) -> dict[str, Any]:
    """The contents of our docks in a viewer, by name."""
    from napari_medadv.widgets.panel import Panel

    found = [panel for panel in viewer.window.dock_widgets.values() if isinstance(panel, Panel)]
    return {type(panel).__name__.removesuffix("Panel"): panel for panel in found}


def _open() -> tuple[Any, dict[str, Any]]:
    import napari
    from napari.settings import get_settings

    from napari_medadv.widgets.commands import DOCKS, register, show

    register()
    viewer = napari.Viewer(title="napari · medical adversarial robustness")
    panels = {name: show(viewer, name) for name in DOCKS}
    show(viewer, "Series")
    if get_settings().application.window_size is None:  # napari remembers none: beside the docks its own leaves little
        window = panels["Series"].window()
        window.resize(window.screen().availableGeometry().size().boundedTo(_SIZE))
    return viewer, panels


def _run(viewer: Any, block: bool) -> Any:
    if block:
        import napari

        napari.run()
    return viewer

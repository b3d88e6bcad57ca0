"""Heat map: the layer of the difference; what a person does to it in napari is what the dock Overlay says, and the other way."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_medadv.display import heat_layer
from napari_medadv.display.heat import heat_style
from napari_medadv.widgets.nouns import lay_over
from napari_medadv.widgets.session import Session


class HeatMap:
    """The one heat map of a viewer, which is held weakly.

    Attributes
    ----------
    shown
        Emitted with whether the map is on the screen, when that changes.
    """

    shown = Signal(bool)

    def __init__(self, viewer: Any, session: Session, layer_of: Callable[[Any], Any]) -> None:
        self._viewer, self._session = weakref.ref(viewer), session
        self._layer_of = weakref.WeakMethod(layer_of)
        self._layer: weakref.ref[Any] | None = None
        self._styling = False
        session.events.heat.connect(self.restyle)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def layer(self) -> Any:
        """The layer, or None."""
        layer, viewer = self._layer() if self._layer is not None else None, self._viewer()
        return layer if layer is not None and viewer is not None and layer in viewer.layers else None

    def show(self) -> None:
        """Put the map of the outcome over it, also where it was deleted or hidden."""
        viewer, outcome, find = self._viewer(), self._session.outcome, self._layer_of()
        if viewer is None or outcome is None or find is None:
            return
        layer = self.layer
        if layer is None:
            active = viewer.layers.selection.active
            values, settings, _ = heat_layer(outcome, self._session.heat)
            layer = viewer.add_image(values, **settings)
            lay_over(layer, find(outcome.loaded) or find(outcome))
            self._layer = weakref.ref(layer)
            layer.events.contrast_limits.connect(self._on_styled)
            layer.events.opacity.connect(self._on_styled)
            layer.events.visible.connect(self._on_visible)
            viewer.layers.selection.active = active
        layer.visible = True
        self.shown.emit(True)

    def hide(self) -> None:
        """Take it off the screen; the layer stays."""
        if self.layer is not None:
            self.layer.visible = False

    def forget(self) -> None:
        """Remove the layer: it is of another outcome."""
        viewer, old, self._layer = self._viewer(), self.layer, None
        if viewer is None or old is None:
            return
        if old in viewer.layers.selection:
            QTimer.singleShot(0, partial(self._drop, old))  # it may be next among those that napari removes just now
        else:
            viewer.layers.remove(old)

    def restyle(self) -> None:
        """Bring the layer up to what the session says."""
        layer, outcome = self.layer, self._session.outcome
        if layer is None or outcome is None or self._styling:
            return
        self._styling = True
        try:
            style = heat_style(outcome, self._session.heat)
            layer.contrast_limits_range = style["contrast_limits"]
            for name in ("contrast_limits", "colormap", "opacity"):
                setattr(layer, name, style[name])
        finally:
            self._styling = False

    def _on_styled(self, event: Any = None) -> None:
        """A person set contrast limits or opacity in napari's own controls."""
        layer, outcome, view = self.layer, self._session.outcome, self._session.heat
        if layer is None or outcome is None or self._styling:
            return
        reach = max(abs(float(limit)) for limit in layer.contrast_limits)
        full = view.full if abs(reach - view.reach(outcome)) <= 1e-6 * reach else reach
        self._session.heat = replace(view, full=full, opacity=float(layer.opacity))
        self.restyle()

    def _on_visible(self, event: Any = None) -> None:
        if self.layer is not None:
            self.shown.emit(bool(self.layer.visible))

    def _on_removed(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer():
            self._layer = None
            self.shown.emit(False)

    def _drop(self, layer: Any) -> None:
        viewer = self._viewer()
        if viewer is not None and layer in viewer.layers:
            viewer.layers.remove(layer)

"""Stage: a session's nouns as layers of one viewer, and the layers' news back to the session."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from napari_medadv.display import (
    KEY,
    Loaded,
    Outcome,
    adversarial_layer,
    presets,
    volume_layer,
)
from napari_medadv.display.layers import OVER, contrast_range, window_style
from napari_medadv.volume import Window
from napari_medadv.widgets.heat_map import HeatMap
from napari_medadv.widgets.nouns import follow_moves, lay_over, noun_of, turned_away, volume_of
from napari_medadv.widgets.readout import readout
from napari_medadv.widgets.session import Session
from napari_medadv.widgets.sides import Sides
from napari_medadv.widgets.vouching import Vouching
from napari_medadv.widgets.work import Work

_STAGES: weakref.WeakKeyDictionary[Any, Stage] = weakref.WeakKeyDictionary()


def stage_of(viewer: Any) -> Stage:
    """The one stage of this viewer. napari hands each dock a proxy of its own, so the viewer behind it is the key."""
    real = getattr(viewer, "__wrapped__", viewer)
    if real not in _STAGES:
        _STAGES[real] = Stage(real)
    return _STAGES[real]


class Stage:
    """Shows loaded series, outcomes and heat maps, and follows what the person selects, deletes and scrolls.

    The viewer is held weakly: a stage never keeps a closed window alive.
    """

    def __init__(self, viewer: Any) -> None:
        self.session = Session()
        self.work = Work()
        self.panels = 0
        self._viewer = weakref.ref(viewer)
        self.heat_map = HeatMap(viewer, self.session, self.layer)
        self._sides = Sides(viewer)
        self.vouching = Vouching(self.session, self.work)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.dims.events.point.connect(self._on_point)
        viewer.mouse_move_callbacks.append(self.point_at)
        viewer.events.status.connect(self._on_status, position="last")
        self.session.events.loaded.connect(self._on_loaded)
        self.session.events.outcome.connect(self._on_outcome)
        for layer in viewer.layers:
            follow_moves(layer, self._on_visible)
            if noun_of(layer) is not None:
                layer.events.data.connect(self._on_data)
        self._on_visible()
        self._on_active()
        if self.session.loaded is None:
            for layer in reversed(viewer.layers):
                if isinstance(noun_of(layer), Loaded):
                    self.session.take(noun_of(layer))
                    break

    @property
    def viewer(self) -> Any:
        """The viewer, or None after it was closed."""
        return self._viewer()

    def show(self, loaded: Loaded) -> None:
        """Put a series on the screen and turn to it."""
        viewer = self.viewer
        if viewer is None:
            return
        layer = self.layer(loaded) or self._add(volume_layer(loaded))
        self.session.take(loaded)
        viewer.layers.selection.active = layer
        if loaded.volume.shape[0] == 1:  # in any other plane it is a line
            viewer.dims.order = tuple(range(viewer.dims.ndim))
        viewer.reset_view(layers=[layer])
        self.go(loaded.volume.shape[0] // 2)

    def show_outcome(self, outcome: Outcome) -> None:
        """Put an adversarial series and its heat map over their source, and turn to the slice that changed most."""
        viewer = self.viewer
        if viewer is None:
            return
        source, layer = self.layer(outcome.loaded), self._add(adversarial_layer(outcome))
        if source is not None and not outcome.loaded.volume.colour:
            viewer.layers.link_layers([source, layer], ("contrast_limits", "gamma", "colormap"))
            layer.contrast_limits_range = source.contrast_limits_range
            layer.contrast_limits = source.contrast_limits
        lay_over(layer, source)
        viewer.layers.selection.active = layer
        self.session.take(outcome.loaded, outcome)
        self.go(outcome.difference.strongest)

    def layer(self, noun: Loaded | Outcome | None) -> Any:
        """The image layer that shows this noun, or None."""
        viewer = self.viewer
        if viewer is None or noun is None:
            return None
        return next((layer for layer in viewer.layers if noun_of(layer) is noun), None)

    @property
    def series(self) -> tuple[Loaded, ...]:
        """Every series in the window, in the order of its layers."""
        nouns = map(noun_of, self.viewer.layers) if self.viewer is not None else ()
        return tuple(noun for noun in nouns if isinstance(noun, Loaded))

    @property
    def heat(self) -> Any:
        """The heat map's layer, or None."""
        return self.heat_map.layer

    def go(self, index: int) -> None:
        """Scroll to a slice."""
        layer, viewer = self.layer(self.session.loaded) or self.layer(self.session.outcome), self.viewer
        if layer is not None and viewer is not None:
            place = layer.data_to_world((index, 0, 0))
            viewer.dims.set_point(viewer.dims.ndim - 3, float(place[0]))

    def window(self, window: Window) -> None:
        """Show the series and its adversarial version under a display window."""
        loaded = self.session.loaded
        for noun in (loaded, self.session.outcome):
            layer = self.layer(noun)
            if loaded is not None and layer is not None and not layer.rgb:
                style = window_style(loaded.volume, window)
                (low, high), reach = style["contrast_limits"], layer.contrast_limits_range
                layer.contrast_limits_range = (min(reach[0], low), max(reach[1], high))
                layer.contrast_limits = (low, high)
                layer.colormap = style["colormap"]

    def close(self) -> None:
        """The window is gone: stop all work."""
        self.vouching.close()
        self.work.close()

    def _add(self, data: tuple[Any, dict[str, Any], str]) -> Any:
        values, settings, _ = data
        layer = self.viewer.add_image(values, **settings)
        noun = noun_of(layer)
        if isinstance(noun, Loaded | Outcome) and not layer.rgb:
            self._bind(layer, noun)
        return layer

    def _bind(self, layer: Any, noun: Loaded | Outcome) -> None:
        """Contrast sliders go as far as the values do, and number keys press windows while the layer is selected.

        Nothing here holds the stage or the viewer.
        """
        layer.contrast_limits_range = contrast_range(volume_of(noun), tuple(layer.contrast_limits_range))
        here = weakref.ref(self)
        for number, window in enumerate(presets(volume_of(noun)).values(), start=1):

            def press(_: Any, window: Window = window) -> None:
                stage = here()
                if stage is not None:
                    stage.window(window)

            layer.bind_key(str(number), press, overwrite=True)

    def _on_inserted(self, event: Any) -> None:
        follow_moves(event.value, self._on_visible)
        if noun_of(event.value) is not None:
            event.value.events.data.connect(self._on_data)
        self._on_visible()

    def _on_visible(self, event: Any = None) -> None:
        """Only of what is on the screen are sides told, and of nothing where one of these was turned or mirrored."""
        viewer = self.viewer
        shown = [layer for layer in viewer.layers if layer.visible] if viewer is not None else []
        seen = [(layer, volume_of(noun_of(layer))) for layer in shown if noun_of(layer) is not None]
        moved = any(turned_away(layer, volume) for layer, volume in seen)
        self._sides.see([] if moved else [volume for _, volume in seen])

    def _on_removed(self, event: Any) -> None:
        self._on_visible()
        if noun_of(event.value) is not None:
            self._lost()

    def _on_data(self, event: Any = None) -> None:
        """Pixels that were changed are no longer what the file holds: the layer is another image."""
        self._on_visible()
        self._lost()

    def _lost(self) -> None:
        """Let go of what no layer shows any more."""
        loaded, outcome = self.session.loaded, self.session.outcome
        outcome = outcome if self.layer(outcome) is not None else None
        self.session.take(loaded if self.layer(loaded) is not None or outcome is not None else None, outcome)

    def _present(self) -> None:
        """One series and one adversarial version of it are on the screen: those in question, and no map that lies over another."""
        viewer, shown = self.viewer, (self.session.loaded, self.session.outcome)
        for layer in viewer.layers if viewer is not None else ():
            noun, over = noun_of(layer), layer.metadata.get(OVER)
            if noun is not None:
                layer.visible = any(noun is each for each in shown)
            elif over is not None and not any(over is each for each in shown):
                layer.visible = False

    def _on_active(self, event: Any = None) -> None:
        viewer = self.viewer
        layer = viewer.layers.selection.active if viewer is not None else None
        noun = noun_of(layer) if layer is not None else None
        if layer is not None and isinstance(noun, Loaded) and noun is not self.session.loaded:
            if not layer.rgb:
                self._bind(layer, noun)
            self.session.take(noun)
        elif isinstance(noun, Outcome):
            self.session.take(noun.loaded, noun)

    def _on_loaded(self, loaded: Loaded | None) -> None:
        viewer = self.viewer
        if viewer is None:
            return
        self._sides.turn(loaded.volume if loaded is not None else None)
        if loaded is not None:
            self._present()
            viewer.canvas.overlays.scale_bar.visible = True
            viewer.canvas.background_color_override = "black"
        self._on_point()

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if self.viewer is None:
            return
        self.heat_map.forget()
        if self.session.loaded is not None:
            self._present()
        if outcome is not None:
            self.heat_map.show()

    def _on_point(self, event: Any = None) -> None:
        viewer, loaded = self.viewer, self.session.loaded
        layer = self.layer(loaded) or self.layer(self.session.outcome)
        if viewer is None or loaded is None or layer is None:
            return
        point = viewer.dims.point
        index = round(float(layer.world_to_data(point[-3:])[0])) if len(point) >= 3 else 0
        self.session.index = int(np.clip(index, 0, loaded.volume.shape[0] - 1))

    def point_at(self, viewer: Any, event: Any) -> None:
        """Tell what lies under the cursor."""
        loaded = self.session.loaded
        layer = self.layer(loaded) or self.layer(self.session.outcome)
        if loaded is None or layer is None or len(event.position) < 3 or viewer.dims.ndisplay == 3:
            return
        outcome = self.session.outcome
        shown = [each for each in (layer, self.layer(outcome)) if each is not None and each.visible]
        if not shown:
            self.session.readout = ""
            return
        over = outcome if outcome is not None and outcome.loaded is loaded else None
        place = np.asarray(layer.world_to_data(event.position[-3:]), np.float64)
        self.session.readout = readout(loaded.volume, over, place)

    def _on_status(self, event: Any = None) -> None:
        """Put value, unit and patient position into napari's status bar in place of its own coordinates."""
        viewer, words = self.viewer, self.session.readout
        if viewer is None or not words or viewer.dims.ndisplay == 3:
            return
        said, active = viewer.status, viewer.layers.selection.active
        ours = active is not None and KEY in active.metadata and active.ndim == 3
        if ours and isinstance(said, dict) and said.get("coordinates") not in ("", words):
            viewer.status = {**said, "coordinates": words}

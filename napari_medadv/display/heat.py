"""The heat map: what was added, in a colormap that is symmetric about zero and clear where nothing was changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_medadv.display.layers import KEY, LayerData, Outcome, placement
from napari_medadv.measure.heatmap import amplification, grey_range
from napari_medadv.slicewise import Slicewise
from napari_medadv.volume import Array, Floats, Volume

Kind = Literal["signed", "absolute", "relative"]

_STEPS = 513
_DOWN = np.array([[0.10, 0.85, 1.00], [0.05, 0.35, 0.95]])
_UP = np.array([[1.00, 0.80, 0.10], [0.95, 0.15, 0.10]])
_EITHER = np.array([[0.55, 0.05, 0.55], [0.95, 0.30, 0.35], [1.00, 0.95, 0.55]])


@dataclass(frozen=True, slots=True)
class HeatView:
    """How the difference is shown.

    Attributes
    ----------
    kind
        "signed" and "absolute" in the unit of the volume, "relative" in per cent of the display window's width.
    full
        The change that gets the full colour, in the unit of the volume; None takes the largest change.
    threshold
        Smaller changes stay clear, in the unit of the volume.
    opacity
        From 0 to 1.
    """

    kind: Kind = "signed"
    full: float | None = None
    threshold: float = 0.0
    opacity: float = 0.5

    def reach(self, outcome: Outcome) -> float:
        """The change that gets the full colour, above zero, in the unit of the volume."""
        largest = outcome.difference.largest if self.full is None else self.full
        return max(largest, float(outcome.loaded.volume.scale.quantum.min()))

    def unit(self, volume: Volume) -> str:
        """The unit of the colorbar."""
        return "% of window" if self.kind == "relative" else volume.scale.unit

    def factor(self, volume: Volume) -> float:
        """From the unit of the volume to that of the colorbar."""
        return 100 / grey_range(volume) if self.kind == "relative" else 1.0

    def amplification(self, outcome: Outcome) -> float:
        """How many times stronger a change shows here than as grey."""
        return amplification(outcome.loaded.volume, self.reach(outcome) * (1 if self.kind == "absolute" else 2))

    def colors(self, reach: float) -> Floats:
        """RGBA from -reach to reach: float64, (513, 4); clear within the threshold."""
        place = np.linspace(-1.0, 1.0, _STEPS)
        found = np.ones((_STEPS, 4))
        if self.kind == "absolute":
            found[:, :3] = _ramp(np.abs(place), _EITHER)
        else:
            found[:, :3] = np.where(place[:, None] < 0, _ramp(-place, _DOWN), _ramp(place, _UP))
        found[:, 3] = np.clip(0.25 + np.abs(place), 0, 1)
        found[np.abs(place) * reach < max(self.threshold, 1e-9 * reach), 3] = 0
        found[_STEPS // 2, 3] = 0
        return found


def heat_values(outcome: Outcome) -> Array | Slicewise:
    """The signed difference: float32, (z, y, x), in the unit of the volume; of a colour, the channel that changed most."""
    values = outcome.difference.values
    if values.ndim == 3:
        return values

    def read(key: tuple[Any, ...], rows: Array) -> Array:
        part = np.asarray(values[key])
        strongest = np.abs(part).argmax(axis=-1)[..., None]
        picked: Array = np.take_along_axis(part, strongest, axis=-1)[..., 0]
        return picked

    found = Slicewise(values.shape[:3], np.float32, read)
    return found if isinstance(values, Slicewise) else np.asarray(found)


def heat_style(outcome: Outcome, view: HeatView) -> dict[str, Any]:
    """The settings of the layer that follow the view; its data never change."""
    reach = view.reach(outcome)
    colors = view.colors(reach)
    name = f"medadv {view.kind} {reach:g} {view.threshold:g}"
    return {
        "colormap": {"name": name, "colors": colors, "interpolation": "linear"},
        "contrast_limits": (-reach, reach),
        "opacity": view.opacity,
    }


def heat_layer(outcome: Outcome, view: HeatView) -> LayerData:
    """The heat map's layer, over its source."""
    settings: dict[str, Any] = {
        "name": "difference",
        "metadata": {KEY: outcome.difference},
        "blending": "translucent_no_depth",
        **placement(outcome.loaded.volume),
        **heat_style(outcome, view),
    }
    return heat_values(outcome), settings, "image"


def _ramp(share: Floats, stops: Floats) -> Floats:
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(share, places, stops[:, channel]) for channel in range(3)], axis=1)

"""Volumes and differences as napari layer data; imports neither napari nor Qt, and torch only where a type needs it."""

from napari_medadv.display.heat import HeatView, heat_layer
from napari_medadv.display.layers import KEY, Loaded, Outcome, adversarial_layer, volume_layer
from napari_medadv.display.orientation import edges, flips, patient_position, turned
from napari_medadv.display.presets import presets

__all__ = [
    "KEY",
    "HeatView",
    "Loaded",
    "Outcome",
    "adversarial_layer",
    "edges",
    "flips",
    "heat_layer",
    "patient_position",
    "presets",
    "turned",
    "volume_layer",
]

"""Numbers and pictures that belong beside a perturbation."""

from napari_medadv.measure.distortion import Distortion, distortion
from napari_medadv.measure.heatmap import (
    Difference,
    absolute_difference,
    amplification,
    grey_range,
    relative_difference,
    signed_difference,
)

__all__ = [
    "Difference",
    "Distortion",
    "absolute_difference",
    "amplification",
    "distortion",
    "grey_range",
    "relative_difference",
    "signed_difference",
]

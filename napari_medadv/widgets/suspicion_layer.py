"""Suspicion layer: where a detector sees something, over the series; imports no Qt."""

from __future__ import annotations

import numpy as np

from napari_medadv.display.layers import KEY, OVER, LayerData, Loaded, Outcome, placement
from napari_medadv.widgets.suspicion import Sign

_GLOW = np.linspace([1.0, 0.9, 0.3, 0.0], [1.0, 0.1, 0.0, 1.0], 256)


def suspicion_layer(sign: Sign, noun: Loaded | Outcome) -> LayerData:
    """Where a detector that can tell sees something, as a layer over what it was asked about; clear where it sees nothing."""
    volume = (noun if isinstance(noun, Loaded) else noun.loaded).volume
    where = np.zeros(volume.shape[:3], np.float32) if sign.where is None else sign.where
    return (
        where,
        {
            "name": f"suspicion: {sign.detector}",
            "metadata": {KEY: sign, OVER: noun},
            "contrast_limits": (0.0, max(float(np.quantile(where, 0.999)), 1e-6)),
            "colormap": {"name": "medadv suspicion", "colors": _GLOW, "interpolation": "linear"},
            "blending": "translucent_no_depth",
            "opacity": 0.8,
            **placement(volume),
        },
        "image",
    )

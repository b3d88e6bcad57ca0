"""Adversarial robustness audit of radiology classifiers, in the DICOM file's own stored values.

A **Series** holds a **Volume**. A **Classifier** reads it and gives a **Prediction**. Under a **Threat** (a **Goal**,
a **Budget**, a **Region**) an **Attack** finds a **Perturbation**. The public names are loaded when they are first
used: importing this package imports neither torch nor Qt nor napari.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from napari_medadv.errors import MedAdvError

if TYPE_CHECKING:
    from napari_medadv.attacks.perturb import Perturbation, perturb
    from napari_medadv.dicom.decode import decode
    from napari_medadv.dicom.save import save
    from napari_medadv.dicom.series import Series, scan
    from napari_medadv.measure.heatmap import signed_difference
    from napari_medadv.model.classifier import Classifier
    from napari_medadv.model.load import load_classifier
    from napari_medadv.prediction import Findings, Prediction
    from napari_medadv.threat import L2, Conceal, Confuse, Fabricate, Linf, Region, Threat
    from napari_medadv.volume import Scale, Volume, Window

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "model.classifier",
    "Conceal": "threat",
    "Confuse": "threat",
    "Fabricate": "threat",
    "Findings": "prediction",
    "L2": "threat",
    "Linf": "threat",
    "Perturbation": "attacks.perturb",
    "Prediction": "prediction",
    "Region": "threat",
    "Scale": "volume",
    "Series": "dicom.series",
    "Threat": "threat",
    "Volume": "volume",
    "Window": "volume",
    "decode": "dicom.decode",
    "load_classifier": "model.load",
    "perturb": "attacks.perturb",
    "save": "dicom.save",
    "scan": "dicom.series",
    "signed_difference": "measure.heatmap",
}

__all__ = [
    "L2",
    "Classifier",
    "Conceal",
    "Confuse",
    "Fabricate",
    "Findings",
    "Linf",
    "MedAdvError",
    "Perturbation",
    "Prediction",
    "Region",
    "Scale",
    "Series",
    "Threat",
    "Volume",
    "Window",
    "decode",
    "load_classifier",
    "perturb",
    "save",
    "scan",
    "signed_difference",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])

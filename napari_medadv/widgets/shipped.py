"""The demonstration classifiers that come with the package."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.errors import MedAdvError
from napari_medadv.samples import SAMPLES

_NAMES = {"cxr_classifier": "Chest radiograph: pneumonia", "nodule_classifier": "Chest CT phantom: nodule"}


def classifiers() -> dict[str, Path]:
    """The folders of those whose weights are there, by name."""
    try:
        homes = {sample.classifier: sample.model for sample in SAMPLES}
    except MedAdvError:
        return {}
    there = {name: home for name, home in homes.items() if (home / "model.pt2").is_file()}
    return {_NAMES.get(name, name): home for name, home in there.items()}

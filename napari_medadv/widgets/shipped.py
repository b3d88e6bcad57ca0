"""The demonstration classifiers that come with the package."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.errors import MedAdvError
from napari_medadv.samples import sample_data

_NAMES = {"cxr_classifier": "Chest radiograph: pneumonia", "nodule_classifier": "Chest CT phantom: nodule"}


def classifiers() -> dict[str, Path]:
    """The cards of those that are there, by name."""
    try:
        home = sample_data()
    except MedAdvError:
        return {}
    cards = {name: home / folder / "model.toml" for folder, name in _NAMES.items()}
    return {name: card for name, card in cards.items() if card.is_file()}

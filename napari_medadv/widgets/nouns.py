"""Nouns: what a layer of the window shows, and whether it still lies where its file says."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from napari_medadv.display import KEY, Loaded, Outcome
from napari_medadv.display.layers import SHOWN, placement
from napari_medadv.volume import Volume

_MOVES = ("scale", "translate", "rotate", "shear", "affine")
"""What moves a layer in napari."""


def noun_of(layer: Any) -> Any:
    """The noun that a layer shows, or None: of a heat map, of what napari made of ours, of a copy, of changed pixels."""
    noun = layer.metadata.get(KEY)
    if not isinstance(noun, Loaded | Outcome):
        return None
    shows = getattr(layer, "rgb", None) == volume_of(noun).colour and layer.data is layer.metadata.get(SHOWN)
    return noun if shows else None


def volume_of(noun: Loaded | Outcome) -> Volume:
    """What is shown of a noun."""
    return noun.volume if isinstance(noun, Loaded) else noun.perturbation.adversarial


def headline(loaded: Loaded, index: int) -> str:
    """The series and, of several, the slice on the screen, as rich text: "**CT series 3**, slice 35 of 0 – 132"."""
    last = len(loaded.volume.voxels) - 1
    return f"<b>{escape(loaded.name)}</b>" + (f", slice {index} of 0 – {last}" if last else "")


def turned_away(layer: Any, volume: Volume) -> bool:
    """Whether a person mirrored, turned or sheared the layer, so that the sides of its picture are not those of the patient."""
    where = placement(volume)
    filed = np.asarray(where["affine"])[:3, :3] * np.asarray(where["scale"])
    axes = np.eye(layer.ndim)[-3:]
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    here = np.stack([np.asarray(layer.data_to_world(axis)) - origin for axis in axes], axis=1)[-3:]
    lengths = [np.linalg.norm(each, axis=0) for each in (here, filed)]
    return not np.allclose(here / lengths[0], filed / lengths[1], atol=1e-3)


def lay_over(layer: Any, under: Any) -> None:
    """Put a layer where the one under it lies, wherever a person has moved that."""
    if under is not None and under.ndim == layer.ndim:
        for name in _MOVES:
            setattr(layer, name, getattr(under, name))


def follow_moves(layer: Any, slot: Any) -> None:
    """Call `slot` when the layer is moved or shown."""
    for name in (*_MOVES, "visible"):
        getattr(layer.events, name).connect(slot)

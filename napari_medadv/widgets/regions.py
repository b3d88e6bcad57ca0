"""Regions: what a person drew in a Labels or Shapes layer, as a mask on the voxels of a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_medadv.errors import RegionError
from napari_medadv.volume import Bools, Floats, Volume

_CORNERS = 64


def drawn(viewer: Any) -> tuple[Any, ...]:
    """The layers that can be a region."""
    from napari.layers import Labels, Shapes

    return tuple(layer for layer in viewer.layers if isinstance(layer, Labels | Shapes)) if viewer is not None else ()


def mask_of(layer: Any, image: Any, volume: Volume) -> Bools:
    """Which voxels the layer marks: bool, (z, y, x).

    Labels count voxel by voxel. An outline in a Shapes layer holds through all slices, whichever slice it was drawn on.

    Parameters
    ----------
    layer
        A Labels or Shapes layer.
    image
        The layer that shows `volume`.

    Raises
    ------
    RegionError
        Nothing is marked on the volume.
    """
    from napari.layers import Labels

    if isinstance(layer, Labels) and layer.ndim != 3:
        raise RegionError(
            f"The layer {layer.name!r} has {layer.ndim} axes, and a series has 3: select the series and paint in a new Labels layer."
        )
    mask = _labelled(layer, image, volume) if isinstance(layer, Labels) else _outlined(layer, image, volume)
    if not mask.any():
        raise RegionError(
            f"The layer {layer.name!r} marks no voxel of this series: paint or draw on it, or attack the whole image."
        )
    return mask


def _labelled(layer: Any, image: Any, volume: Volume) -> Bools:
    data = np.asarray(layer.data)
    corner = np.subtract(volume.shape, 1)
    same = data.shape == volume.shape and all(
        np.allclose(layer.data_to_world(place), image.data_to_world(place), atol=1e-3) for place in ((0, 0, 0), corner)
    )
    if same:
        labelled: Bools = np.not_equal(data, 0)
        return labelled
    found = np.zeros(volume.shape, bool)
    marked = np.argwhere(data)
    if len(marked) and data.ndim == 3:
        # Each voxel of the image asks which label lies at its own place, so that no hole opens where the image is finer.
        for z in range(volume.shape[0]):
            places = np.stack(np.meshgrid(z, *(np.arange(n) for n in volume.shape[1:]), indexing="ij"), axis=-1)[
                0
            ].reshape(-1, 3)
            there = np.rint(_moved(_moved(places, image.data_to_world), layer.world_to_data)).astype(int)
            inside = ((there >= 0) & (there < data.shape)).all(axis=1)
            hit = np.zeros(len(places), bool)
            hit[inside] = data[tuple(there[inside].T)] != 0
            found[z] = hit.reshape(volume.shape[1:])
    return found


def _outlined(layer: Any, image: Any, volume: Volume) -> Bools:
    from skimage import draw

    fill: Callable[..., Bools] = draw.polygon2mask

    flat = np.zeros(volume.shape[1:], bool)
    for corners, kind in zip(layer.data, layer.shape_type, strict=True):
        if kind in ("line", "path"):
            continue
        outline = _ellipse(np.asarray(corners)) if kind == "ellipse" else np.asarray(corners, np.float64)
        world = np.zeros((len(outline), 3))
        there = _moved(outline, layer.data_to_world)[:, -3:]
        world[:, 3 - there.shape[1] :] = there
        placed = _moved(world, image.world_to_data)
        if np.ptp(placed[:, 0]) > 0.5:
            raise RegionError(
                f"An outline in the layer {layer.name!r} was drawn across the slices: draw in the plane of the slices, or paint in a Labels layer."
            )
        flat |= fill(flat.shape, placed[:, 1:])
    return np.broadcast_to(flat, volume.shape).copy()


def _ellipse(corners: Floats) -> Floats:
    center = corners.mean(axis=0)
    one, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)[:, None]
    outline: Floats = center + np.cos(turn) * one + np.sin(turn) * other
    return outline


def _moved(places: Any, transform: Any) -> Floats:
    axes = np.shape(places)[1]
    origin = np.asarray(transform(np.zeros(axes)), np.float64)
    matrix = np.stack([np.asarray(transform(unit), np.float64) - origin for unit in np.eye(axes)], axis=1)
    moved: Floats = np.asarray(places, np.float64) @ matrix.T + origin
    return moved

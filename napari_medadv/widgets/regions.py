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
    corners = np.vstack([np.zeros(3), np.diag(np.subtract(volume.shape, 1))])
    same = data.shape == volume.shape and np.allclose(
        _moved(corners, layer.data_to_world), _moved(corners, image.data_to_world), atol=1e-3
    )
    if same:
        labelled: Bools = np.not_equal(data, 0)
        return labelled
    found, marked = np.zeros(volume.shape, bool), data != 0
    if not marked.any():
        return found
    # Each voxel near the marked ones asks which label lies at its own place, so that no hole opens where the image is finer.
    along = [np.flatnonzero(marked.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    ends = np.stack(np.meshgrid(*((each[0] - 0.5, each[-1] + 0.5) for each in along)), axis=-1).reshape(-1, 3)
    near = _moved(_moved(ends, layer.data_to_world), image.world_to_data)
    first = np.clip(np.floor(near.min(axis=0)), 0, volume.shape).astype(int)
    last = np.clip(np.ceil(near.max(axis=0)) + 1, 0, volume.shape).astype(int)
    rows, columns = np.arange(first[1], last[1])[:, None], np.arange(first[2], last[2])[None]
    origin, *ahead = _moved(_moved(np.vstack([np.zeros(3), np.eye(3)]), image.data_to_world), layer.world_to_data)
    steps = np.where(np.abs(ahead - origin) < 1e-9, 0.0, ahead - origin)
    for z in range(first[0], last[0]):
        inside, there = np.ones((), bool), []
        for axis, count in enumerate(data.shape):
            place = origin[axis] + z * steps[0, axis]
            for along_it, step in ((rows, steps[1, axis]), (columns, steps[2, axis])):
                place = place + along_it * step if step else place  # what does not change is not spread over the slice
            index = np.rint(place).astype(int)
            inside = inside & (index >= 0) & (index < count)
            there.append(np.clip(index, 0, count - 1))
        found[z, first[1] : last[1], first[2] : last[2]] = marked[tuple(there)] & inside
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

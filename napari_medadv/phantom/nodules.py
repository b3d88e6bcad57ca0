"""Solid lung nodules: where they lie, how large, and their slightly lobulated shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_medadv.phantom.canvas import Canvas, Field


@dataclass(frozen=True, slots=True)
class Nodule:
    """One solid nodule: its centre (z, y, x) in mm from the centre of the first voxel, its mean radius in mm, its HU."""

    centre: tuple[float, float, float]
    radius: float
    hu: float

    def chord(self, slice_positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Radius in mm of its cross-section at each slice position in mm; 0 where the slice misses it."""
        square = self.radius**2 - (slice_positions - self.centre[0]) ** 2
        return np.sqrt(np.clip(square, 0, None))


def place_nodules(
    canvas: Canvas, lungs: Field, count: int, diameters: tuple[float, float], rng: np.random.Generator
) -> tuple[Nodule, ...]:
    """Choose `count` nodules that lie wholly in the lungs (a signed distance in mm) and apart from each other."""
    found: list[Nodule] = []
    for _ in range(200 * count):
        if len(found) == count:
            break
        radius = float(rng.uniform(*diameters)) / 2
        place = tuple(int(rng.integers(n)) for n in canvas.shape)
        if lungs[place] > -1.15 * radius - 1:
            continue
        centre = tuple(index * step for index, step in zip(place, canvas.spacing, strict=True))
        gaps = [np.linalg.norm(np.subtract(other.centre, centre)) - other.radius - radius for other in found]
        if all(gap > 12 for gap in gaps):
            found.append(Nodule((centre[0], centre[1], centre[2]), radius, float(rng.uniform(15, 70))))
    return tuple(found)


def paint_nodule(canvas: Canvas, nodule: Nodule, rng: np.random.Generator) -> None:
    """Paint a nodule: a ball with a handful of low bumps, partial volume over five depths of the slice."""
    middle = [
        coordinate + float(axis.ravel()[0])
        for coordinate, axis in zip(nodule.centre, (canvas.z, canvas.y, canvas.x), strict=True)
    ]
    reach = nodule.radius * 1.5 + max(canvas.spacing)
    box = canvas.box((middle[2] - reach, middle[1] - reach, middle[0] - reach),
                     (middle[2] + reach, middle[1] + reach, middle[0] + reach))  # fmt: skip
    x, y, z = canvas.coordinates(box)
    bumps = rng.standard_normal((6, 3))
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    heights = rng.uniform(-0.08, 0.22, 6)
    stretch = rng.uniform(0.9, 1.1, 3)
    depths = (np.arange(5) - 2) / 5 * canvas.spacing[0]
    cover = np.zeros((z.size, y.size, x.size), np.float32)
    for depth in depths:
        dx, dy, dz = (x - middle[2]) * stretch[0], (y - middle[1]) * stretch[1], (z + depth - middle[0]) * stretch[2]
        reached = np.sqrt(dx**2 + dy**2 + dz**2) + 1e-3
        edge = np.ones_like(cover)
        for (bx, by, bz), height in zip(bumps, heights, strict=True):
            edge += height * np.exp(5 * ((dx * bx + dy * by + dz * bz) / reached - 1)).astype(np.float32)
        cover += canvas.coverage((reached - nodule.radius * edge).astype(np.float32)) / np.float32(len(depths))
    part = canvas.voxels[box]
    part += cover * (np.float32(nodule.hu) - np.minimum(part, np.float32(nodule.hu)))

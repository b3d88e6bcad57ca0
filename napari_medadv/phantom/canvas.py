"""The canvas on which a phantom is painted: voxels in HU with their place in the body in mm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]
Point = tuple[float, float, float]
Box = tuple[slice, slice, slice]


def smooth_minimum(fields: Sequence[Field], softness: float) -> Field:
    """Union of signed distance fields in mm, with fillets of about `softness` mm."""
    total = np.exp(np.clip(-fields[0] / softness, -60, 60))
    for field in fields[1:]:
        total = total + np.exp(np.clip(-field / softness, -60, 60))
    return np.asarray(-softness * np.log(total), np.float32)


class Canvas:
    """Voxels in HU, float32, (z, y, x), and the coordinates of their centres in mm.

    The origin is the middle of the grid; x runs to the patient's left, y to the back, z to the head.
    Distances are in mm and negative inside; an edge is spread over one pixel, as partial volume does.
    """

    def __init__(self, shape: tuple[int, int, int], spacing: Point) -> None:
        self.shape = shape
        self.spacing = spacing
        z, y, x = (
            ((np.arange(count) - (count - 1) / 2) * step).astype(np.float32)
            for count, step in zip(shape, spacing, strict=True)
        )
        self.z, self.y, self.x = z[:, None, None], y[None, :, None], x[None, None, :]
        self.voxels: Field = np.full(shape, -1000, np.float32)

    @property
    def pixel(self) -> float:
        """Edge of a pixel in mm."""
        return (self.spacing[1] + self.spacing[2]) / 2

    def box(self, low: Point, high: Point) -> Box:
        """Index slices that hold every voxel centre between two corners (x, y, z) in mm."""
        slices = []
        for axis, near, far in zip((self.z, self.y, self.x), low[::-1], high[::-1], strict=True):
            line = axis.ravel()
            slices.append(slice(int(np.searchsorted(line, near)), int(np.searchsorted(line, far, side="right"))))
        return slices[0], slices[1], slices[2]

    def coordinates(self, box: Box) -> tuple[Field, Field, Field]:
        """Coordinates x, y, z in mm of a box, each broadcastable to it."""
        return self.x[:, :, box[2]], self.y[:, box[1], :], self.z[box[0]]

    def coverage(self, distance: Field) -> Field:
        """Part of each voxel that lies inside, from the signed distance in mm."""
        covered: Field = np.clip(0.5 - distance / np.float32(self.pixel), 0, 1)
        return covered

    def paint(self, distance: Field, hu: float | Field, box: Box = (slice(None),) * 3) -> None:
        """Fill the inside of a signed distance field with a density."""
        part = self.voxels[box]
        part += self.coverage(distance) * (hu - part)

    def ellipsoid(self, centre: Point, half: Point, hu: float, turn: float = 0.0) -> None:
        """Paint an ellipsoid, its half axes in mm, turned about z by `turn` radians."""
        reach = max(half[0], half[1]) + 2 * self.pixel if turn else 0.0
        spans = (max(reach, half[0]), max(reach, half[1]), half[2])
        low = tuple(c - s - 2 * self.pixel for c, s in zip(centre, spans, strict=True))
        high = tuple(c + s + 2 * self.pixel for c, s in zip(centre, spans, strict=True))
        box = self.box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        self.paint(ellipsoid_distance(*self.coordinates(box), centre, half, turn), hu, box)

    def tube(self, points: NDArray[np.float64], radii: NDArray[np.float64], onto: Field) -> None:
        """Raise `onto` to the coverage of a tube through points (n, [x, y, z]) in mm, of radii (n,) in mm.

        The slice thickness is sampled at three depths, because a vessel is often thinner than a slice.
        """
        depths = np.array([-1, 0, 1], np.float32) * self.spacing[0] / 3
        for start, end, first, last in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
            margin = max(first, last) + self.pixel
            low, high = np.minimum(start, end) - margin, np.maximum(start, end) + margin
            low[2] -= self.spacing[0] / 2
            high[2] += self.spacing[0] / 2
            box = self.box(tuple(low), tuple(high))
            x, y, z = self.coordinates(box)
            if not (x.size and y.size and z.size):
                continue
            axis = end - start
            length = float(axis @ axis) + 1e-6
            total = np.zeros((z.size, y.size, x.size), np.float32)
            for depth in depths:
                dx, dy, dz = x - start[0], y - start[1], z + depth - start[2]
                along = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) / length, 0, 1)
                distance = np.sqrt(
                    (dx - along * axis[0]) ** 2 + (dy - along * axis[1]) ** 2 + (dz - along * axis[2]) ** 2
                )
                total += self.coverage((distance - (first + along * (last - first))).astype(np.float32))
            thin = min(1.0, 2 * max(first, last) / self.pixel)
            np.maximum(onto[box], total * np.float32(thin / len(depths)), out=onto[box])

    def texture(self, rng: np.random.Generator, correlation: float) -> Field:
        """Smooth noise of mean 0 and spread 1 over the whole canvas, correlated over about `correlation` mm."""
        counts = [max(2, int(np.ceil(n * s / correlation)) + 1) for n, s in zip(self.shape, self.spacing, strict=True)]
        coarse = rng.standard_normal(counts).astype(np.float32)
        zoom = [n / c for n, c in zip(self.shape, counts, strict=True)]
        smooth = ndimage.zoom(coarse, zoom, order=1, mode="nearest", grid_mode=False)
        return np.asarray(smooth * np.float32(1.6), np.float32)


def ellipsoid_distance(x: Field, y: Field, z: Field, centre: Point, half: Point, turn: float = 0.0) -> Field:
    """Signed distance in mm (near the surface) to an ellipsoid turned about z by `turn` radians."""
    dx, dy, dz = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
    if turn:
        cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        dx, dy = dx * cosine + dy * sine, dy * cosine - dx * sine
    squares = (dx / half[0]) ** 2 + (dy / half[1]) ** 2 + (dz / half[2]) ** 2
    steep = (dx / half[0] ** 2) ** 2 + (dy / half[1] ** 2) ** 2 + (dz / half[2] ** 2) ** 2
    return np.asarray((squares - 1) / (2 * np.sqrt(steep) + 1e-3), np.float32)

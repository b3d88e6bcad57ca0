"""A whole chest CT from a seed: torso, bones, organs, lungs with their vessels, nodules, blur and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_medadv.phantom.canvas import Canvas
from napari_medadv.phantom.nodules import Nodule, paint_nodule, place_nodules
from napari_medadv.phantom.noise import scanner_noise
from napari_medadv.phantom.organs import airway, paint_abdomen, paint_heart, paint_table, paint_wall
from napari_medadv.phantom.skeleton import paint_skeleton
from napari_medadv.phantom.torso import Measures, Torso, torso
from napari_medadv.phantom.vessels import Tree, grow


def chest_ct(
    seed: int,
    shape: tuple[int, int, int] = (64, 256, 256),
    spacing: tuple[float, float, float] = (4.0, 1.4, 1.4),
    *,
    nodules: int | None = None,
    diameters: tuple[float, float] = (6.0, 20.0),
) -> tuple[NDArray[np.int16], tuple[Nodule, ...]]:
    """Draw a chest CT that no one ever had.

    Parameters
    ----------
    seed
        Decides the person, the vessels, the nodules and the noise, each from a stream of its own: the same seed
        with another number of nodules is the same person.
    shape
        Voxels along (z, y, x).
    spacing
        Distance of voxel centres along (z, y, x) in mm; the chest is centred in the grid.
    nodules
        How many nodules; None draws one to three. Fewer are placed where the lungs have no room left.
    diameters
        Smallest and largest diameter of a nodule in mm.

    Returns
    -------
    tuple
        Voxels in HU, int16, (z, y, x), z from feet to head, y from front to back, x from right to left; and the nodules.
    """
    person, soft, tree, focal, quantum = (np.random.default_rng([seed, stream]) for stream in range(5))
    canvas = Canvas(shape, spacing)
    measures = Measures.draw(person)
    body = torso(canvas, measures, person)
    paint_table(canvas, body)
    paint_wall(canvas, body, soft)
    paint_abdomen(canvas, body, soft)
    paint_heart(canvas, body, soft)
    paint_skeleton(canvas, body, person)
    _paint_lungs(canvas, body, soft, tree)
    count = int(focal.integers(1, 4)) if nodules is None else nodules
    placed = place_nodules(canvas, body.lungs, count, diameters, focal)
    for nodule in placed:
        paint_nodule(canvas, nodule, focal)
    return _acquire(canvas, body, quantum), placed


def _paint_lungs(canvas: Canvas, body: Torso, soft: np.random.Generator, tree: np.random.Generator) -> None:
    m = body.measures
    inflation = soft.uniform(-885, -835)
    dependent = 45 * np.clip((canvas.y - m.back) / m.depth, -1, 1) ** 3
    patches = 14 * canvas.texture(soft, 14) + 9 * canvas.texture(soft, 5)
    canvas.paint(body.lungs, (inflation + dependent + patches).astype(np.float32))
    tilt, offset = soft.uniform(0.75, 1.0), soft.uniform(-8, 8)
    plane = (canvas.y - m.back) * tilt + (canvas.z + 5 - offset) * 0.6 + 4 * np.sin(canvas.x / 19 + offset)
    fissure = np.maximum(np.abs(plane) - 0.4, body.lungs + 0.5)
    canvas.voxels += 0.16 * canvas.coverage(fissure.astype(np.float32)) * (0 - canvas.voxels)
    vessels = np.zeros_like(canvas.voxels)
    lumen, wall = np.zeros_like(canvas.voxels), np.zeros_like(canvas.voxels)
    for points, radii in airway(m):
        canvas.tube(points, radii + 1.6, wall)
        canvas.tube(points, radii, lumen)
    for side in (-1, 1):
        targets = _spread(canvas, body, side, tree)
        if not len(targets):
            continue
        half = len(targets) // 2
        artery = grow(np.array([side * 32.0, m.back + 6, 8]), targets[:half], tree, tip=tree.uniform(0.62, 0.75))
        vein = grow(np.array([side * 30.0, m.back + 16, -14]), targets[half:], tree, tip=tree.uniform(0.58, 0.7))
        for grown in (artery, vein):
            for run in grown.branches():
                # A child starts at its own width, not at its fork's.
                canvas.tube(grown.nodes[run], np.r_[grown.radii[run[1]], grown.radii[run[1:]]], vessels)
        _accompany(canvas, artery, side, lumen, wall)
    vessels *= np.clip(0.5 - (body.lungs - 2) / 3, 0, 1)
    canvas.voxels += vessels * (np.float32(m.blood) - canvas.voxels)
    canvas.voxels += wall * np.clip(20 - canvas.voxels, 0, None)
    canvas.voxels += lumen * (-985 - canvas.voxels)


def _spread(canvas: Canvas, body: Torso, side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Choose points (n, [x, y, z]) in mm spread through one lung, one for about 1.9 cubic centimetres."""
    inside = (body.lungs < -2.5) & (canvas.x * side > 0)
    places = np.flatnonzero(inside)
    volume = places.size * float(np.prod(canvas.spacing)) / 1000
    chosen = rng.choice(places, size=min(places.size, int(volume / 1.9)), replace=False)
    index = np.unravel_index(chosen, canvas.shape)
    axes = (canvas.x.ravel(), canvas.y.ravel(), canvas.z.ravel())
    points = np.stack([axis[i] for axis, i in zip(axes, index[::-1], strict=True)], axis=1).astype(float)
    jittered: NDArray[np.float64] = points + rng.uniform(-0.5, 0.5, points.shape) * np.array(canvas.spacing[::-1])
    return jittered


def _accompany(canvas: Canvas, artery: Tree, side: int, lumen: NDArray[np.float32], wall: NDArray[np.float32]) -> None:
    """Lay a bronchus beside every large artery."""
    for run in artery.branches():
        radius = float(artery.radii[run[1]])
        if radius < 1.7:
            continue
        beside = artery.nodes[run] + np.array([-side * 0.5, 0.6, 0.6]) * (2.0 * radius + 0.4)
        radii = np.full(len(run), 0.85 * radius)
        canvas.tube(beside, radii + 0.9, wall)
        canvas.tube(beside, radii, lumen)


def _acquire(canvas: Canvas, body: Torso, rng: np.random.Generator) -> NDArray[np.int16]:
    """Blur as the scanner does, add its noise, and store whole HU."""
    blurred = ndimage.gaussian_filter(canvas.voxels, (0.3, 0.75 / canvas.spacing[1], 0.75 / canvas.spacing[2]))
    level = rng.uniform(12, 20)
    thick = 1 + 0.5 / (1 + np.exp(-(canvas.z - 70) / 12))
    inner = np.exp(-((canvas.x / 150) ** 2) - ((canvas.y - body.measures.back) / 130) ** 2)
    outside = np.clip(0.5 - body.skin / 20, 0.28, 1)
    noisy = blurred + scanner_noise(canvas, (level * (0.6 + 0.55 * inner) * thick * outside).astype(np.float32), rng)
    stored: NDArray[np.int16] = np.clip(np.rint(noisy), -1024, 3071).astype(np.int16)
    return stored

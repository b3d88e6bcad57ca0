"""The skeleton of the chest: spine, oblique ribs, breast bone, collar bones and shoulder blades."""

from __future__ import annotations

import numpy as np

from napari_medadv.phantom.canvas import Canvas, Field, ellipsoid_distance
from napari_medadv.phantom.torso import Torso


def paint_skeleton(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    """Paint the bones of a torso."""
    _paint_scapulae(canvas, torso, rng)
    _paint_ribs(canvas, torso, rng)
    _paint_spine(canvas, torso, rng)
    _paint_sternum(canvas, torso, rng)
    _paint_clavicles(canvas, torso, rng)


def _bone(canvas: Canvas, distance: Field, cortex: float, marrow: float, wall: float) -> None:
    canvas.paint(distance, cortex)
    canvas.paint(distance + wall, marrow)


def _paint_ribs(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    m = torso.measures
    y = canvas.y - m.back
    # 0 at the spine, 1 at the breast bone: how far a rib has run.
    run = np.arctan2(np.abs(canvas.x) / m.width, y / m.depth) / np.pi
    drop = 78 * (1 - np.cos(np.pi * np.clip(run, 0, 0.9) / 0.9)) / 2 - 8 * np.sin(np.pi * run)
    pitch = rng.uniform(21, 24)
    phase = canvas.z + drop + rng.uniform(0, pitch)
    along = np.mod(phase, pitch) - pitch / 2
    tall = 5.2 + 1.5 * run
    out = torso.cage - 6.5
    shell = np.sqrt((along / tall) ** 2 + (out / 4.2) ** 2) - 1
    distance = np.asarray(shell * 4.2, np.float32)
    near_spine = (np.abs(canvas.x) < 16) & (y > 0)
    distance = np.where(near_spine, np.float32(50), distance)
    cartilage = np.clip((run - 0.80) / 0.05, 0, 1)
    hard = rng.uniform(620, 820)
    canvas.paint(distance, (hard * (1 - cartilage) + 110 * cartilage).astype(np.float32))
    canvas.paint(distance + 1.7, (230 * (1 - cartilage) + 70 * cartilage).astype(np.float32))


def _paint_spine(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    m = torso.measures
    x, y, z = canvas.x, canvas.y, canvas.z
    pitch = rng.uniform(23, 26)
    level = np.mod(z + rng.uniform(0, pitch), pitch) - pitch / 2
    body_half = pitch / 2 - 2.6
    waist = 1 - 0.10 * np.cos(np.pi * level / pitch)
    flat = ellipsoid_distance(x / waist, y, 0 * z, (0, m.spine, 0), (18, 14.5, 1e4))
    ends = np.abs(level) - body_half
    canvas.paint(flat, 85.0)
    vertebra = np.maximum(flat, ends)
    _bone(canvas, vertebra, rng.uniform(380, 520), rng.uniform(140, 230), 1.6)
    canal_y = m.spine + 23
    ring = ellipsoid_distance(x, y, 0 * z, (0, canal_y, 0), (13, 12, 1e4))
    arch = np.maximum(ring, np.abs(level + 2) - 7.5)
    pedicle = np.maximum(np.abs(np.abs(x) - 12) - 4, np.maximum(np.abs(y - (m.spine + 15)) - 8, np.abs(level - 3) - 5))
    process = np.maximum(np.abs(x) - 3.2, np.maximum(np.abs(y - (canal_y + 20)) - 15, np.abs(level + 5) - 6))
    reach = np.abs(x) - 10
    wing = np.maximum(
        np.sqrt((y - (canal_y + 3 + 0.45 * reach)) ** 2 + (level - 2) ** 2) - 5, np.maximum(-reach, reach - 22)
    )
    for part in (arch, pedicle, np.maximum(process, torso.skin + 7), wing):
        _bone(canvas, part.astype(np.float32), 560, 260, 1.8)
    canvas.paint(ellipsoid_distance(x, y, 0 * z, (0, canal_y, 0), (8.5, 8, 1e4)), 12.0)
    canvas.paint(ellipsoid_distance(x, y, 0 * z, (0, canal_y, 0), (5, 4, 1e4)), 38.0)


def _paint_sternum(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    m = torso.measures
    half = 15 + 9 / (1 + np.exp(-(canvas.z - 58) / 5)) - 4 * np.exp(-(((canvas.z - 52) / 8) ** 2))
    front = torso.cage - 8
    flat = (np.sqrt((canvas.x / half) ** 2 + (front / 5.5) ** 2) - 1) * 5.5
    ends = np.maximum(-48 - canvas.z, canvas.z - m.apex + 18)
    ahead = canvas.y - m.back
    distance = np.maximum(np.maximum(flat, ends), ahead).astype(np.float32)
    _bone(canvas, distance, rng.uniform(380, 480), rng.uniform(110, 170), 1.6)


def _paint_clavicles(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    m = torso.measures
    base = m.apex - 12 + rng.normal(0, 3)
    hard, soft = np.zeros_like(canvas.voxels), np.zeros_like(canvas.voxels)
    for side in (-1, 1):
        steps = np.linspace(0, 1, 12)
        x = side * (16 + steps * (m.width - 2))
        y = m.back - 0.62 * m.depth - 9 * np.sin(2 * np.pi * steps * 0.9) + 48 * steps**1.6
        points = np.stack([x, y, base + 26 * steps**0.8], axis=1)
        canvas.tube(points, np.full(12, 6.2), hard)
        canvas.tube(points, np.full(12, 3.8), soft)
    canvas.voxels += hard * (720 - canvas.voxels)
    canvas.voxels += soft * (300 - canvas.voxels)


def _paint_scapulae(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    m = torso.measures
    low = rng.uniform(-15, 5)
    rise = np.clip((canvas.z - low) / 95, 0, 1.3)
    tilt = rng.uniform(0.45, 0.6)
    centre_x, centre_y = m.width * 0.80, m.back + m.depth * 0.74 + 14
    dx, dy = np.abs(canvas.x) - centre_x, canvas.y - centre_y
    along = dx * np.cos(tilt) - dy * np.sin(tilt)
    across = dx * np.sin(tilt) + dy * np.cos(tilt) + 0.004 * along**2
    half = 6 + 36 * rise
    plate = np.maximum(np.abs(across) - 2.0 - 4.5 * np.exp(-(((along - half + 4) / 5) ** 2)), np.abs(along) - half)
    plate = np.maximum(plate, np.maximum(low - canvas.z, canvas.z - m.apex - 4))
    ridge = np.maximum(
        np.abs(along - 6 + 0.5 * across) - 2.6, np.maximum(np.abs(across - 10) - 11, np.abs(rise - 0.95) * 95 - 12)
    )
    _bone(canvas, np.minimum(plate, ridge).astype(np.float32), 640, 330, 1.5)

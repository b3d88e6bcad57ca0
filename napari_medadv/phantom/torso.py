"""The torso: one person's measures, and the surfaces of rib cage, skin, mediastinum, diaphragm and lungs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_medadv.phantom.canvas import Canvas, Field, ellipsoid_distance, smooth_minimum


@dataclass(frozen=True, slots=True)
class Measures:
    """What differs from person to person, in mm."""

    width: float
    depth: float
    apex: float
    dome: float
    back: float
    wall: float
    fat: float
    heart: float
    blood: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Measures:
        """Draw one adult."""
        return cls(
            width=rng.uniform(116, 134),
            depth=rng.uniform(76, 92),
            apex=rng.uniform(92, 112),
            dome=rng.uniform(-72, -48),
            back=rng.uniform(-14, -6),
            wall=rng.uniform(13, 19),
            fat=rng.uniform(6, 18),
            heart=rng.uniform(0.88, 1.12),
            blood=float(rng.choice([rng.uniform(38, 50), rng.uniform(120, 230)])),
        )

    @property
    def spine(self) -> float:
        """Place of the vertebral bodies' middle along y."""
        return self.back + 0.80 * self.depth


@dataclass(frozen=True, slots=True)
class Torso:
    """Signed distances in mm, negative inside, (z, y, x)."""

    measures: Measures
    cage: Field
    skin: Field
    mediastinum: Field
    diaphragm: Field
    lungs: Field


def torso(canvas: Canvas, measures: Measures, rng: np.random.Generator) -> Torso:
    """Shape a torso on the canvas's grid."""
    wobble = canvas.texture(rng, 28)
    cage = _dome(canvas, measures, 0.0) + 1.2 * wobble
    mediastinum = _mediastinum(canvas, measures, rng) + 1.6 * wobble
    diaphragm = _diaphragm(canvas, measures, rng) + 1.5 * wobble
    lungs = -smooth_minimum([-cage, mediastinum, -diaphragm], 2.0)
    return Torso(measures, cage, _skin(canvas, measures), mediastinum, diaphragm, lungs)


def _dome(canvas: Canvas, m: Measures, grow: float) -> Field:
    power = 2.35
    width = m.width + grow - 0.0009 * (canvas.z + 35) ** 2
    lift = np.clip(canvas.z + 25, 0, None)
    across, through, up = np.abs(canvas.x), np.abs(canvas.y - m.back), lift
    rho = (across / width) ** power + (through / (m.depth + grow)) ** power + (up / (m.apex + 25 + grow)) ** power
    rho = np.maximum(rho, 1e-4) ** np.float32(1 / power)
    reach = np.sqrt(across**2 + through**2 + up**2)
    return np.asarray((1 - 1 / rho) * reach, np.float32)


def _skin(canvas: Canvas, m: Measures) -> Field:
    power = 2.5
    # The shoulders widen the body above the lungs; the waist narrows it a little.
    shoulder = 34 / (1 + np.exp(-(canvas.z - 75) / 14))
    neck = np.clip(canvas.z - 100, 0, None) * 0.35
    width = m.width + m.wall + m.fat + shoulder - neck - 0.0005 * (canvas.z + 30) ** 2
    front = m.depth + 8 + m.fat + 0.35 * m.wall - 0.4 * np.clip(canvas.z - 55, 0, None)
    rear = m.depth + 26 + 0.4 * m.fat
    y = canvas.y - m.back
    through = np.where(y < 0, -y / front, y / rear)
    # Where the breast bone and the spine lie, the surface is slightly hollow.
    groove = 6 * np.exp(-((canvas.x / 16) ** 2))
    rho = ((np.abs(canvas.x) / width) ** power + through**power + 1e-5) ** np.float32(1 / power)
    reach = np.sqrt(canvas.x**2 + y**2)
    return np.asarray((1 - 1 / rho) * reach + groove, np.float32)


def _mediastinum(canvas: Canvas, m: Measures, rng: np.random.Generator) -> Field:
    x, y, z = canvas.x, canvas.y, canvas.z
    tall = 400.0
    shift = rng.normal(0, 2, 3)
    heart = m.heart
    parts = [
        ellipsoid_distance(x, y, z, (0, m.spine, 0), (25, 21, tall)),
        ellipsoid_distance(x, y, z, (20, m.spine - 16, -60), (17, 17, 120)),
        ellipsoid_distance(x, y, z, (0, m.back + 0.35 * m.depth, 0), (14, 38, tall)),
        ellipsoid_distance(x, y, z, (shift[0], m.back - 6, 75), (29, 40, 75)),
        ellipsoid_distance(x, y, z, (3 + shift[1], m.back - 0.72 * m.depth, 0), (7, 0.34 * m.depth, tall)),
        ellipsoid_distance(
            x,
            y,
            z,
            (27 + shift[2], m.back - 20, -48),
            (62 * heart, 46 * heart, 60 * heart),
            turn=rng.uniform(0.35, 0.6),
        ),
        ellipsoid_distance(x, y, z, (-18, m.back - 14, -38), (36 * heart, 38 * heart, 48 * heart)),
        ellipsoid_distance(x, y, z, (-34, m.back + 6, 2), (22, 17, 24)),
        ellipsoid_distance(x, y, z, (34, m.back + 8, 8), (22, 17, 24)),
        ellipsoid_distance(x, y, z, (14, m.back - 2, 44), (30, 36, 24)),
    ]
    return smooth_minimum(parts, 3.5)


def _diaphragm(canvas: Canvas, m: Measures, rng: np.random.Generator) -> Field:
    right = np.asarray(canvas.x < 0)
    top = np.where(right, m.dome, m.dome - rng.uniform(6, 16))
    middle = np.where(right, -0.46 * m.width, 0.5 * m.width)
    fall = 0.75 * ((canvas.x - middle) / (0.52 * m.width)) ** 2 + ((canvas.y - m.back + 14) / (0.95 * m.depth)) ** 2
    height = top - 46 * np.clip(fall, 0, 2.2)
    return np.asarray((height - canvas.z) * 0.75, np.float32)

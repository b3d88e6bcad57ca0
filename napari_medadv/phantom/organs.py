"""The soft tissues: skin, fat and muscle, heart and great vessels, airway, and what lies under the diaphragm."""

from __future__ import annotations

import numpy as np

from napari_medadv.phantom.canvas import Canvas, ellipsoid_distance
from napari_medadv.phantom.torso import Measures, Torso


def paint_table(canvas: Canvas, torso: Torso) -> None:
    """Paint the scanner's table, a curved shell with a light core, below the body."""
    rest = _rest(torso.measures)
    curve = 640.0
    reach = np.sqrt(canvas.x**2 + (canvas.y - rest + curve) ** 2) - curve
    slab = np.maximum(np.abs(reach - 10) - 9, np.abs(canvas.x) - 205)
    canvas.paint(np.broadcast_to(slab, canvas.shape), -940.0)
    lining = np.abs(np.abs(reach - 10) - 8) - 1.1
    canvas.paint(np.broadcast_to(np.maximum(lining, np.abs(canvas.x) - 205), canvas.shape), -380.0)


def _rest(m: Measures) -> float:
    return m.back + m.depth + 27 + 0.4 * m.fat


def paint_wall(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    """Paint skin, fat and the muscles of the chest wall."""
    m, x, y, z = torso.measures, canvas.x, canvas.y, canvas.z
    grain = canvas.texture(rng, 9)
    canvas.paint(torso.skin, 25.0)
    canvas.paint(torso.skin + 1.8, (-102 + 7 * grain).astype(np.float32))
    muscle = (52 + 5 * grain).astype(np.float32)
    planes = np.sin((torso.cage + 9 * canvas.texture(rng, 26)) / 3.4)
    streaked = (52 - 105 * np.clip(planes - 0.80, 0, 1) / 0.20 + 5 * grain).astype(np.float32)
    backward = np.clip((y - m.back) / m.depth, -1, 1)
    outward = np.clip(np.abs(x) / m.width, 0, 1)
    upper = 1 / (1 + np.exp(-(z - 15) / 22))
    front = np.clip(-backward, 0, 1) * np.clip(outward * 4 - 0.4, 0, 1)
    aside = outward**0.8 * (0.6 + 0.6 * np.clip(backward, 0, 1))
    thick = 11 + m.wall * (0.35 + 0.9 * upper) * (aside + 0.7 * front * upper)
    layer = np.maximum(torso.cage - thick, torso.skin + 3.5)
    canvas.paint(layer.astype(np.float32), streaked)
    shoulder = ellipsoid_distance(np.abs(x), y, z, (m.width + 4, m.back + 26, 104), (56, 56, 50))
    shoulder = shoulder + 5 * canvas.texture(rng, 30)
    canvas.paint(np.maximum(shoulder, torso.skin + 4).astype(np.float32), streaked)
    back = ellipsoid_distance(np.abs(x), y, 0 * z, (33, m.spine + 38, 0), (28, 17, 1e4), turn=-0.25)
    canvas.paint(np.maximum(back, torso.skin + 3).astype(np.float32), muscle)
    trapezius = ellipsoid_distance(np.abs(x), y, z, (40, m.spine + 40, 112), (52, 14, 80))
    canvas.paint(np.maximum(trapezius, torso.skin + 3).astype(np.float32), muscle)
    neck = ellipsoid_distance(x, y, z, (0, m.back + 10, m.apex + 45), (52, 48, 46))
    canvas.paint(np.maximum(neck, torso.skin + 5).astype(np.float32), streaked)


def paint_abdomen(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    """Paint fat inside the cage, and liver, spleen and stomach under the diaphragm."""
    m, x, y, z = torso.measures, canvas.x, canvas.y, canvas.z
    grain = canvas.texture(rng, 8)
    canvas.paint(torso.cage - 1.0, 38.0)
    canvas.paint(torso.cage + 1.0, (-96 + 6 * grain).astype(np.float32))
    under = np.maximum(torso.diaphragm * -1 + 1.0, torso.cage + 1.0)
    canvas.paint(under.astype(np.float32), 48.0)
    below = np.maximum(torso.diaphragm * -1 + 4.0, torso.cage + 3.0)
    bulge = canvas.texture(rng, 40)
    canvas.paint(np.maximum(below, x - 80).astype(np.float32), (-98 + 6 * grain).astype(np.float32))
    enhanced = 50.0 if m.blood > 100 else 0.0
    liver = np.maximum(below, x - 34 + 0.25 * (y - m.back) + 6 * bulge)
    liver = np.maximum(liver, y - m.spine + 2 - 0.5 * np.abs(x + 10))
    canvas.paint(liver.astype(np.float32), (58 + enhanced + 4 * grain).astype(np.float32))
    centre = (0.62 * m.width, m.back + 0.38 * m.depth, m.dome - 36)
    spleen = ellipsoid_distance(x, y, z, centre, (30, 42, 44), turn=0.4) + 2 * bulge
    canvas.paint(np.maximum(spleen, below).astype(np.float32), 50 + enhanced)
    pouch = ellipsoid_distance(x, y, z, (0.42 * m.width, m.back - 18, m.dome - 40), (38, 34, 40), turn=-0.3) + 2 * bulge
    pouch = np.maximum(pouch, below + 1)
    canvas.paint(pouch.astype(np.float32), 48.0)
    canvas.paint(pouch.astype(np.float32) + 4, 22.0)
    level = m.back - 24 + rng.uniform(-8, 8)
    canvas.paint(np.maximum(pouch + 4, y - level).astype(np.float32), -960.0)


def paint_heart(canvas: Canvas, torso: Torso, rng: np.random.Generator) -> None:
    """Paint the heart and the great vessels."""
    m = torso.measures
    k, b, blood = m.heart, m.back, m.blood
    muscle = 48.0 + (35.0 if blood > 100 else 0.0)
    turn = rng.uniform(0.4, 0.55)
    canvas.ellipsoid((30, b - 19, -48), (53 * k, 37 * k, 52 * k), muscle, turn)
    canvas.ellipsoid((40, b - 12, -50), (34 * k, 20 * k, 36 * k), blood, turn)
    canvas.ellipsoid((14, b - 34, -46), (36 * k, 16 * k, 40 * k), blood, turn)
    canvas.ellipsoid((-20, b - 13, -38), (26 * k, 28 * k, 38 * k), blood)
    canvas.ellipsoid((6, b + 22, -18), (30 * k, 17 * k, 24 * k), blood)
    spine = m.spine
    jitter = rng.normal(0, 2, (12, 3))
    arch = np.array(
        [
            (0, b - 14, -22), (-10, b - 20, 0), (-13, b - 20, 20), (-8, b - 16, 36), (4, b - 6, 46),
            (16, b + 10, 49), (22, spine - 32, 43), (23, spine - 22, 26), (22, spine - 18, 0),
            (19, spine - 18, -40), (14, spine - 18, -80), (8, spine - 20, -150),
        ]
    ) + jitter * 0.6  # fmt: skip
    vessels = [
        (arch, np.array([14, 15.5, 15, 14.5, 14, 13, 12.5, 12, 11.5, 11, 10.5, 10.0])),
        (np.array([(14, b - 38, -20), (18, b - 30, 0), (20, b - 16, 14), (24, b - 2, 18), (34, b + 10, 16)]),
         np.array([13, 13, 12.5, 11, 9.0])),
        (np.array([(19, b - 16, 13), (6, b - 1, 12), (-12, b + 4, 9), (-32, b + 4, 4)]), np.array([11, 10.5, 10, 8.5])),
        (np.array([(-20, b - 14, -20), (-23, b - 16, 20), (-22, b - 20, 50), (-26, b - 26, 84), (-40, b - 24, 112)]),
         np.array([10, 9.5, 9, 8, 7.0])),
        (np.array([(-22, b - 20, 58), (0, b - 30, 62), (26, b - 24, 80), (40, b - 18, 105)]), np.array([7, 6, 6, 6.0])),
        (np.array([(-4, b - 10, 46), (-14, b - 8, 70), (-24, b - 6, 125)]), np.array([6.5, 6, 4.5])),
        (np.array([(6, b - 2, 49), (14, b + 2, 75), (18, b, 125)]), np.array([4.5, 4, 4.0])),
        (np.array([(16, b + 10, 50), (26, b + 16, 78), (40, b + 10, 112)]), np.array([5, 5, 4.5])),
        (np.array([(-18, b + 2, -150), (-20, b, -70), (-18, b - 6, -40)]), np.array([11, 11, 11.0])),
    ]  # fmt: skip
    for points, radii in vessels:
        cover = np.zeros_like(canvas.voxels)
        canvas.tube(points.astype(float), radii.astype(float), cover)
        canvas.voxels += cover * np.float32(blood - rng.uniform(0, 4)) - cover * canvas.voxels
    gullet = np.array(
        [(6, spine - 26, 130), (8, spine - 25, 50), (4, spine - 27, 0), (10, spine - 34, -60), (18, spine - 44, -95)]
    )
    cover = np.zeros_like(canvas.voxels)
    canvas.tube(gullet.astype(float), np.full(5, 7.0), cover)
    canvas.voxels += cover * (40 - canvas.voxels)
    for _ in range(14):
        place = (rng.uniform(-26, 26), b + rng.uniform(-40, 26), rng.uniform(-10, 80))
        canvas.ellipsoid(place, (rng.uniform(2, 4), rng.uniform(2, 5), rng.uniform(3, 6)), 35.0)


def airway(m: Measures) -> list[tuple[np.ndarray, np.ndarray]]:
    """Trachea and main bronchi, as points (n, [x, y, z]) and radii (n,) of the lumen, in mm."""
    b = m.back
    return [
        (
            np.array([(-2, b + 12, 160), (0, b + 14, 80), (-2, b + 19, 44), (-2, b + 23, 26)], float),
            np.array([8.5, 8.5, 8.2, 8]),
        ),
        (
            np.array([(-2, b + 23, 26), (-16, b + 24, 12), (-30, b + 22, 2), (-40, b + 20, -12)], float),
            np.array([7, 6.8, 5.5, 4]),
        ),
        (
            np.array([(-2, b + 23, 26), (18, b + 26, 12), (36, b + 26, 2), (44, b + 26, -10)], float),
            np.array([6.5, 6, 5, 3.6]),
        ),
        (np.array([(-22, b + 24, 8), (-36, b + 18, 18), (-46, b + 12, 30)], float), np.array([4.5, 3.8, 2.8])),
    ]

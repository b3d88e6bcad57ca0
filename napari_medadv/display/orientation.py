"""Orientation: how a volume is turned on the screen as radiologists expect it, and which side of the patient lies where."""

from __future__ import annotations

import numpy as np

from napari_medadv.orientation import flips as in_plane
from napari_medadv.volume import Floats, Volume

_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))
_OPPOSITE = dict(zip("RLAPIS", "LRPASI", strict=True))


def letters(direction: Floats, obliquity: float = 0.35) -> str:
    """Where a patient direction (L, P, S) points: "L", or "LA" where it is oblique; the strongest first.

    Parameters
    ----------
    direction
        float64, (3,), of any length but zero.
    obliquity
        The least component of the unit vector that is named.
    """
    unit = direction / np.linalg.norm(direction)
    order = np.argsort(-np.abs(unit), kind="stable")
    return "".join(_LETTERS[axis][int(unit[axis] > 0)] for axis in order[:2] if abs(unit[axis]) >= obliquity)


def flips(volume: Volume) -> tuple[bool, bool, bool]:
    """Which of the axes z, y, x runs backwards on the screen so that anterior and head are up, right and anterior left.

    Slices keep their order. A volume without a place in the patient is shown as stored.
    """
    return False, *in_plane(volume)


def screen_affine(volume: Volume) -> Floats:
    """The affine of a layer beside its scale: float64, (4, 4), world (z, y, x, 1) to world, turning backward axes round."""
    affine = np.eye(4)
    for axis, (backward, count, step) in enumerate(zip(flips(volume), volume.shape, volume.spacing, strict=True)):
        if backward:
            affine[axis, axis], affine[axis, 3] = -1, (count - 1) * step
    return affine


def screen_axes(volume: Volume) -> Floats:
    """Where the world axes z, y, x of the layer point in the patient: float64, (3, 3), unit (L, P, S) in columns."""
    axes: Floats = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    signs = np.where(flips(volume), -1.0, 1.0)
    return axes * signs


def axis_labels(volume: Volume) -> tuple[str, str, str]:
    """What the layer's axes are called: where each points in the patient, or z, y, x."""
    names = tuple(letters(axis)[0] for axis in screen_axes(volume).T)
    if not volume.placed or len(set(names)) < 3:
        return "z", "y", "x"
    return names[0], names[1], names[2]


def edges(volume: Volume, vertical: int = 1, horizontal: int = 2) -> tuple[str, str, str, str]:
    """Which side of the patient lies at the top, bottom, left and right when two layer axes are shown; "" if nobody says."""
    if volume.placed:
        axes = screen_axes(volume)
        bottom, right = letters(axes[:, vertical]), letters(axes[:, horizontal])
    else:
        told = ("", volume.sides[1], volume.sides[0])
        bottom, right = told[vertical], told[horizontal]
    return opposite(bottom), bottom, opposite(right), right


def turned(volume: Volume, vertical: int, horizontal: int) -> tuple[bool, bool]:
    """Whether the picture of two layer axes must be turned upside down, and left to right, to be held as radiologists read it.

    The head or the front is at the top; the patient's left, or, seen from the side, the back, is on the right.
    """
    top, _, _, right = edges(volume, vertical, horizontal)
    return top[:1] in ("I", "P"), right[:1] in ("R", "A")


def opposite(side: str) -> str:
    """The other side of the patient: "LA" is opposite to "RP"."""
    return "".join(_OPPOSITE[letter] for letter in side)


def depth_away(volume: Volume) -> bool:
    """Whether the slice axis must run away from the viewer in 3D, so that the patient is not seen in a mirror."""
    z, y, x = screen_axes(volume).T
    return bool(np.dot(np.cross(x, y), z) > 0)


def patient_position(volume: Volume, index: Floats) -> str:
    """The patient position of a voxel index (z, y, x) in words: "R 12.5  A 30.0  S 210.0 mm"."""
    if not volume.placed:
        return ""
    place = volume.affine @ np.append(index, 1.0)
    return "  ".join(f"{_LETTERS[axis][int(place[axis] >= 0)]} {abs(place[axis]):.1f}" for axis in range(3)) + " mm"

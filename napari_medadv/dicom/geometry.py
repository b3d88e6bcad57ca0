"""Geometry: the order of slices and the way from an index to the patient, from position and orientation only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.volume import Floats

Kind = Literal["size", "pixels", "orientation", "frame", "spacing", "duplicate", "mosaic", "gap", "uneven", "drift"]
Allowable = Literal["gap", "uneven", "drift", "mosaic"]
ALLOWABLE: tuple[Allowable, ...] = get_args(Allowable)
"""Problems that a person may choose to overlook; the fact then stays with the volume."""
UNEVEN = 0.01
"""Distances between slices that differ by less than this share are taken as equal."""
TILTED = 1e-3
"""A shift between slices larger than this share of their distance is told as a tilt."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why slices are not one honest volume: what kind of reason, and the sentence for a person (it names no file)."""

    kind: Kind
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order.

    Attributes
    ----------
    order
        Index into the slices as given, from the least to the greatest position along the normal.
    affine
        float64, (4, 4): index (z, y, x, 1) to patient position (L, P, S, 1) in mm.
    placed
        Whether the files give positions at all.
    facts
        Sentences about what is unusual, but right.
    problems
        What speaks against one volume.
    """

    order: tuple[int, ...]
    affine: Floats
    placed: bool
    facts: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def placed(header: Header) -> bool:
    """Whether a file gives position, orientation and pixel spacing."""
    return len(header.numbers(a.POSITION)) == 3 and _oriented(header)


def _oriented(header: Header) -> bool:
    spacing = header.numbers(a.PIXEL_SPACING)
    return len(header.numbers(a.ORIENTATION)) == 6 and len(spacing) == 2 and min(spacing) > 0


def distinct(headers: Iterable[Header], *tags: int) -> list[Header]:
    """The first of all headers that say the same of `tags`."""
    found: dict[tuple[bytes | None, ...], Header] = {}
    for header in headers:
        found.setdefault(tuple(map(header.raw.get, tags)), header)
    return list(found.values())


def arrange(headers: Sequence[Header], allow: Collection[str] = ()) -> Stack:
    """Order the slices and find their affine; never fails, but tells the problems that are not in `allow`."""
    places = [header.numbers(a.POSITION) for header in headers]
    kinds = distinct(headers, a.ORIENTATION, a.PIXEL_SPACING, a.FRAME_OF_REFERENCE)
    if not all(map(_oriented, kinds)) or set(map(len, places)) != {3}:
        return _unplaced(headers)
    orientation = np.array([header.numbers(a.ORIENTATION) for header in kinds])
    along_row, along_column = orientation[0, :3], orientation[0, 3:]
    directions = orientation[0].reshape(2, 3)
    if np.abs(directions @ directions.T - np.eye(2)).max() > 1e-2:
        found = Problem("orientation", "its Image Orientation is no pair of perpendicular directions of length 1")
        return Stack(tuple(range(len(headers))), np.eye(4), True, (), (found,))
    positions = np.array(places)
    normal = np.cross(along_row, along_column)
    normal /= np.linalg.norm(normal)
    depth = positions @ normal
    order = np.argsort(depth, kind="stable")
    positions, depth = positions[order], depth[order]
    row_spacing, column_spacing = headers[0].numbers(a.PIXEL_SPACING)
    step, facts, found_problems = _step(positions, depth, normal, headers[0])
    problems = tuple(each for each in found_problems if each.kind not in allow)
    if len(problems) < len(found_problems):
        facts += tuple(_overlooked(each, positions, step) for each in found_problems if each.kind in allow)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = along_column * row_spacing
    affine[:3, 2] = along_row * column_spacing
    affine[:3, 3] = positions[0]
    return Stack(tuple(order.tolist()), affine, True, facts, (*_mixed(kinds, orientation), *problems))


def _unplaced(headers: Sequence[Header]) -> Stack:
    """One image without a place, such as a radiograph or a photograph."""
    spacing = headers[0].numbers(a.PIXEL_SPACING)
    facts: tuple[str, ...] = ()
    if len(spacing) != 2 or min(spacing) <= 0:
        spacing = headers[0].numbers(a.IMAGER_SPACING)
        facts = ("distances are measured at the detector, not in the patient",)
    if len(spacing) != 2 or min(spacing) <= 0:
        spacing, facts = (1.0, 1.0), ("the file gives no pixel spacing: distances are in pixels",)
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[3, 3] = 1
    affine[1, 1], affine[0, 2] = spacing
    problems: tuple[Problem, ...] = ()
    if len({header.path for header in headers}) == 1 < len(headers):
        facts += ("its frames have no position in the patient: they follow one another as in the file",)
        affine[2, 0] = abs(headers[0].number(a.BETWEEN_SLICES) or 0.0) or 1.0
    elif len(headers) > 1:
        missing = sum(not placed(header) for header in headers)
        found = f"{missing} of {len(headers)} images give no position, orientation and pixel spacing"
        problems = (Problem("spacing", found),)
    return Stack(tuple(range(len(headers))), affine, False, facts, problems)


def _mixed(headers: Sequence[Header], orientation: Floats) -> tuple[Problem, ...]:
    """What differs between slices that should be alike."""
    problems = []
    if np.abs(orientation - orientation[0]).max() > 1e-3:
        problems.append(Problem("orientation", "its images lie in different orientations"))
    if len({header.text(a.FRAME_OF_REFERENCE) for header in headers}) > 1:
        problems.append(Problem("frame", "its images have different frames of reference"))
    spacing = np.array([header.numbers(a.PIXEL_SPACING) for header in headers])
    if np.abs(spacing - spacing[0]).max() > 1e-3 * spacing[0].min():
        problems.append(Problem("spacing", "its images have different pixel spacings"))
    return tuple(problems)


def _step(
    positions: Floats, depth: Floats, normal: Floats, header: Header
) -> tuple[Floats, tuple[str, ...], tuple[Problem, ...]]:
    """The vector from a slice to the next in mm, and what is unusual about it."""
    if len(depth) == 1:
        thickness = header.number(a.BETWEEN_SLICES) or header.number(a.THICKNESS) or 1.0
        return normal * (abs(thickness) or 1.0), (), ()
    distances = np.diff(depth)
    if distances.min() < 1e-3:
        same = int((distances < 1e-3).sum())
        found = f"{same + 1 if same == len(distances) else same} of its {len(depth)} slices lie where another one lies already"
        return normal, (), (Problem("duplicate", found),)
    usual = float(np.median(distances))
    step: Floats = (positions[-1] - positions[0]) / (len(positions) - 1)
    problem = _uneven(depth, distances, usual)
    if problem is not None:
        return step, (), (problem,)
    straight = positions[0] + np.arange(len(positions))[:, None] * step
    if np.abs(positions - straight).max() > max(UNEVEN * usual, 0.05):
        return step, (), (Problem("drift", "its slices do not lie on one straight line"),)
    shift = np.linalg.norm(step - (step @ normal) * normal)
    if shift <= TILTED * usual:
        return step, (), ()
    degrees = float(np.degrees(np.arctan2(shift, usual)))
    return step, (f"the gantry was tilted: slices are sheared by {degrees:.1f} degrees, which the affine keeps",), ()


def _overlooked(problem: Problem, positions: Floats, step: Floats) -> str:
    """The fact that stays with a volume whose problem was overlooked."""
    straight = positions[0] + np.arange(len(positions))[:, None] * step
    off = float(np.linalg.norm(positions - straight, axis=1).max())
    return f"allowed by choice: {problem.sentence}; slices are shown up to {off:.3g} mm from their place"


def _uneven(depth: Floats, distances: Floats, usual: float) -> Problem | None:
    """The problem of slices at uneven distances: a gap where a multiple of the usual distance is found, else uneven."""
    if np.abs(distances - usual).max() <= UNEVEN * usual + 1e-3:
        return None
    worst = int(np.argmax(np.abs(distances - usual)))
    between = f"slice {worst + 1} and slice {worst + 2} lie {distances[worst]:.4g} mm apart, the others {usual:.4g} mm"
    times = distances / usual
    off = np.abs(times - np.rint(times)) > 0.05
    if not off.any() and len(distances) > 2:
        missing = int(np.rint(times).sum()) - len(distances)
        return Problem("gap", f"{missing} slice{'s are' if missing > 1 else ' is'} missing: {between}")
    return Problem("uneven", f"the distance between its slices varies: {between}")

"""Split: the volumes that are in one series, each with the attribute that tells it from the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.geometry import arrange, placed
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.instance import Slice
from napari_medadv.volume import Array

Part = tuple[str, list[Slice]]
"""What tells a volume from the others ("" where it is the only one), and its slices."""

SEPARATORS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("acquisition", "", (a.ACQUISITION_NUMBER,)),
    ("stack", "", (a.STACK,)),
    ("echo time", " ms", (a.ECHO_TIME,)),
    ("echo", "", (a.ECHO_NUMBER,)),
    ("b-value", " s/mm2", (a.B_VALUE,)),
    ("b-value and direction", "", (a.B_VALUE, a.B_DIRECTION)),
    ("time point", "", (a.TEMPORAL_POSITION,)),
    ("trigger time", " ms", (a.TRIGGER_TIME,)),
    ("image type", "", (a.IMAGE_TYPE,)),
    ("inversion time", " ms", (a.INVERSION_TIME,)),
    ("flip angle", " degrees", (a.FLIP_ANGLE,)),
    ("acquisition time", "", (a.ACQUISITION_TIME,)),
    ("content time", "", (a.CONTENT_TIME,)),
    ("echo time and image type", "", (a.ECHO_TIME, a.IMAGE_TYPE)),
    ("echo time and time point", "", (a.ECHO_TIME, a.TEMPORAL_POSITION)),
    ("image type and time point", "", (a.IMAGE_TYPE, a.TEMPORAL_POSITION)),
)
"""By name: the unit, and the attributes that tell volumes at the same place apart, in the order in which they are tried."""
RANKS = ((a.TRIGGER_TIME, "trigger time"), (a.ACQUISITION_TIME, "acquisition time"), (a.CONTENT_TIME, "content time"))
"""Times that differ from slice to slice as well: the images of one place are told apart by their rank in time."""


def split(slices: Sequence[Slice]) -> list[Part]:
    """Split the images of one series into volumes; an image without a place is a volume of its own."""
    parts: list[Part] = []
    for files in _by(slices, lambda each: None if placed(each.header) else each.instance.path).values():
        if not placed(files[0].header):
            parts.append((_name(files[0]), files))
            continue
        hard = _hard(files)
        for name, group in hard:
            parts += [(", ".join(filter(None, (name, finer))), found) for finer, found in _soft(group)]
    return [("", parts[0][1])] if len(parts) == 1 else parts


def _name(single: Slice) -> str:
    number = single.instance.number
    return "one image" if number is None else f"image {number}"


def _by(slices: Sequence[Slice], key: Callable[[Slice], Hashable]) -> dict[Hashable, list[Slice]]:
    groups: dict[Hashable, list[Slice]] = defaultdict(list)
    for each in slices:
        groups[key(each)].append(each)
    return groups


def _hard(slices: Sequence[Slice]) -> list[Part]:
    """Split what can never be one volume: patients, studies, localizers, mosaics, directions, frames of reference, sizes, pixel formats."""
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for index, each in enumerate(slices):
        kinds[each.header.little, *map(each.header.raw.get, _HARD)].append(index)
    first = {id(slices[same[0]]): same for same in kinds.values()}
    rough: Part = ("", [slices[same[0]] for same in kinds.values()])
    parts = [rough]
    for name, key in (
        ("patient", lambda each: each.header.text(a.PATIENT_ID) or each.header.text(a.PATIENT_NAME)),
        ("study", lambda each: each.header.text(a.STUDY)),
        ("", _kind),
        ("orientation", _orientations(slices)),
        ("frame of reference", lambda each: each.header.text(a.FRAME_OF_REFERENCE)),
        ("size", lambda each: f"{each.header.short(a.COLUMNS)} x {each.header.short(a.ROWS)}"),
        ("pixel spacing", lambda each: " x ".join(f"{length:.4g}" for length in each.header.numbers(a.PIXEL_SPACING))),
        ("pixel format", _format),
        ("segment", lambda each: each.header.text(a.SEGMENT)),
    ):
        finer: list[Part] = []
        for label, group in parts:
            groups = _by(group, key)
            for value, found in groups.items():
                shown = f"{name} {len(finer) + 1}" if name in _COUNTED else f"{name} {value}".strip()
                told = [label, shown if len(groups) > 1 or value in ("localizer", "mosaic") else ""]
                finer.append((", ".join(filter(None, told)), found))
        parts = finer
    return [
        (label, [slices[index] for index in sorted(index for each in group for index in first[id(each)])])
        for label, group in parts
    ]


_COUNTED = ("patient", "study", "frame of reference")
"""What is told by a number, for its value says too much or nothing."""
_HARD = (
    a.PATIENT_ID,
    a.PATIENT_NAME,
    a.STUDY,
    a.IMAGE_TYPE,
    a.ORIENTATION,
    a.FRAME_OF_REFERENCE,
    a.COLUMNS,
    a.ROWS,
    a.PIXEL_SPACING,
    a.PHOTOMETRIC,
    a.SIGNED,
    a.BITS_STORED,
    a.BITS_ALLOCATED,
    a.SEGMENT,
)
"""Every attribute that the keys of `_hard` read: slices that say the same are looked at once."""


def _kind(each: Slice) -> str:
    values = each.header.texts(a.IMAGE_TYPE)
    return "localizer" if "LOCALIZER" in values else "mosaic" if "MOSAIC" in values else ""


def _format(each: Slice) -> str:
    header = each.header  # and not the layout, which a damaged file lacks: its slice must be missed where it belongs
    signed = "signed" if header.short(a.SIGNED) == 1 else "unsigned"
    return (
        f"{header.text(a.PHOTOMETRIC)} {signed} {header.short(a.BITS_STORED)} of {header.short(a.BITS_ALLOCATED)} bits"
    )


def _orientations(slices: Sequence[Slice]) -> Callable[[Slice], str]:
    """A key that is the same for orientations that differ by rounding only."""
    known: list[tuple[Array, str]] = []

    def key(each: Slice) -> str:
        orientation = np.array(each.header.numbers(a.ORIENTATION))
        for other, name in known:
            if np.abs(orientation - other).max() <= 1e-3:
                return name
        normal = np.cross(orientation[:3], orientation[3:])
        plane = ("sagittal", "coronal", "axial")[int(np.abs(normal).argmax())]
        same = sum(name.startswith(plane) for _, name in known)
        known.append((orientation, f"{plane} {same + 1}" if same else plane))
        return known[-1][1]

    return key


def _soft(slices: list[Slice]) -> list[Part]:
    """Split volumes that share their place by the first attribute that leaves whole volumes; else leave them together."""
    if not arrange([each.header for each in slices]).problems:
        return [("", slices)]
    best: list[Part] | None = None
    most = _multiplicity(slices)
    for name, unit, tags in SEPARATORS:
        groups = _by(slices, _values(tags))
        if not 1 < len(groups) <= max(2 * most, 4):
            continue
        if any(_multiplicity(group) > 1 for group in groups.values()):
            continue
        if most == 1 and any(len(group) == 1 for group in groups.values()):
            continue  # nothing shares its place: a missing slice must not make volumes of single ones
        parts = [(_label(name, unit, key), group) for key, group in sorted(groups.items(), key=_rank)]
        if not any(arrange([each.header for each in group]).problems for _, group in parts):
            return parts
        if best is None and most > 1:
            best = parts
    return _ranked(slices, most) or best or [("", slices)]


def _values(tags: tuple[int, ...]) -> Callable[[Slice], tuple[str, ...]]:
    """A key: what the slice says of `tags`."""
    return lambda each: tuple(_shown(each.header, tag) for tag in tags)


def _rank(item: tuple[Hashable, list[Slice]]) -> tuple[float, str]:
    """Order parts by number, where they have one."""
    first = item[0][0] if isinstance(item[0], tuple) and item[0] else ""
    try:
        return float(first), str(item[0])
    except ValueError:
        return float("inf"), str(item[0])


def _label(name: str, unit: str, key: Hashable) -> str:
    values = [str(value) for value in key] if isinstance(key, tuple) else [str(key)]
    return f"{name} {' '.join(value or 'none' for value in values)}{unit}"


def _shown(header: Header, tag: int) -> str:
    if tag in (a.B_VALUE, a.B_DIRECTION):
        return " ".join(f"{value:g}" for value in header.doubles(tag))
    if tag == a.IMAGE_TYPE:
        return "/".join(header.texts(tag))
    number = header.number(tag) if tag not in (a.ACQUISITION_TIME, a.CONTENT_TIME) else None
    return header.text(tag) if number is None else f"{number:g}"


def _places(slices: Sequence[Slice]) -> list[int]:
    """A number for the place of each slice along the normal; slices within a micrometre share it."""
    orientation = slices[0].header.numbers(a.ORIENTATION)
    normal = np.cross(orientation[:3], orientation[3:])
    depth = np.array([each.header.numbers(a.POSITION) for each in slices]) @ normal
    order = np.argsort(depth, kind="stable")
    place = np.zeros(len(slices), int)
    place[order[1:]] = np.cumsum([depth[after] - depth[before] > 1e-3 for before, after in pairwise(order)])
    found: list[int] = place.tolist()
    return found


def _multiplicity(slices: Sequence[Slice]) -> int:
    """How many slices share the most crowded place."""
    return max(Counter(_places(slices)).values())


def _ranked(slices: list[Slice], most: int) -> list[Part]:
    """Split by rank in time, where every place is there equally often."""
    places = _places(slices)
    if most < 2 or set(Counter(places).values()) != {most}:
        return []
    for tag, name in RANKS:
        if len({each.header.text(tag) for each in slices}) < most:
            continue
        stacks: list[list[Slice]] = [[] for _ in range(most)]
        ranks: Counter[int] = Counter()
        for place, each in sorted(zip(places, slices, strict=True), key=lambda pair: pair[1].header.number(tag) or 0.0):
            stacks[ranks[place]].append(each)
            ranks[place] += 1
        if not any(arrange([each.header for each in stack]).problems for stack in stacks):
            return [(f"{name}, {rank + 1} of {most}", stack) for rank, stack in enumerate(stacks)]
    return []

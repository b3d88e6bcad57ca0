"""Real world: what floating point pixels mean (PS3.3 C.7.6.16.2.11, Real World Value Mapping), such as those of a parametric map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pydicom

from napari_medadv.dicom.instance import Slice
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Array, Scale, Window

_UNITS = {"[hnsf'U]": "HU", "1": "no unit"}


class Mapping(NamedTuple):
    """Slope, intercept and unit of one frame, and the values between which they are told to hold."""

    slope: float
    intercept: float
    unit: str
    least: float | None
    most: float | None


_NOTHING = Mapping(1.0, 0.0, "stored value", None, None)


def real_scale(slices: Sequence[Slice], middle: Array) -> Scale:
    """The scale of slices of floating point pixels.

    Parameters
    ----------
    middle
        The values of one slice, which tell the range where the files do not.

    Raises
    ------
    SeriesError
        The mappings cannot be read, or the slices hold different quantities.
    """
    files = {id(each.instance): _mappings(each) for each in {id(each.instance): each for each in slices}.values()}
    found = [files[id(each.instance)].get(each.frame, _NOTHING) for each in slices]
    if len({each.unit for each in found}) > 1:
        raise SeriesError(
            f"{slices[0].instance.path.name} holds frames of different quantities: choose a series with one of them."
        )
    slope, intercept = (np.array([each[index] for each in found], float) for index in (0, 1))
    if len({each[:2] for each in found}) == 1:
        slope, intercept = slope[:1], intercept[:1]
    least, most = found[0].least, found[0].most
    if least is None or most is None or not least < most:
        finite = middle[np.isfinite(middle)]
        least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low = int(np.floor(least))
    return Scale(found[0].unit, low, max(int(np.ceil(most)), low + 1), slope, intercept)


def real_window(scale: Scale, windows: tuple[Window, ...], middle: Array) -> tuple[Window, ...]:
    """The windows of a file over floating point pixels; where it names none, one from the least to the greatest of `middle`."""
    if windows:
        return windows
    values = middle[np.isfinite(middle)] * scale.slope[0] + scale.intercept[0]
    if not values.size or values.min() == values.max():
        return ()
    low, high = float(values.min()), float(values.max())
    return (Window((low + high) / 2, high - low, "LINEAR_EXACT", "middle slice"),)


def _mappings(one: Slice) -> dict[int, Mapping]:
    """The first mapping of each frame of the file of a slice."""
    header, layout = one.instance.header, one.instance.layout
    frames = 1 if layout is None else layout.frames
    try:
        with quiet():
            dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
            shared = (*dataset.get("SharedFunctionalGroupsSequence", ()), dataset)
            own = dataset.get("PerFrameFunctionalGroupsSequence") or [pydicom.Dataset()] * frames
            found = {}
            for frame, group in enumerate(own):
                for holder in (group, *shared):
                    if holder.get("RealWorldValueMappingSequence"):
                        found[frame] = _mapping(holder.RealWorldValueMappingSequence[0])
                        break
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(
            f"{header.path.name} has real world values that cannot be read: copy it again from its source."
        ) from fault
    return found


def _mapping(item: pydicom.Dataset) -> Mapping:
    units = item.get("MeasurementUnitsCodeSequence")
    code = str(units[0].get("CodeValue", "")) if units else ""
    ends = [item.get(f"DoubleFloatRealWorldValue{end}ValueMapped") for end in ("First", "Last")]
    return Mapping(
        float(item.get("RealWorldValueSlope", 1.0)),
        float(item.get("RealWorldValueIntercept", 0.0)),
        _UNITS.get(code, code) or "stored value",
        *(None if end is None or not np.isfinite(end) else float(end) for end in ends),
    )

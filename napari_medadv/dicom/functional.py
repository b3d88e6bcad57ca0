"""Functional groups: what a multi-frame file says of each of its frames (PS3.3 C.7.6.16), as one header a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from struct import pack
from typing import Any

import numpy as np
import pydicom

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError

_FRAME_TYPE = {"FrameType": a.IMAGE_TYPE}
GROUPS: dict[str, dict[str, int]] = {
    "PixelMeasuresSequence": {
        "PixelSpacing": a.PIXEL_SPACING,
        "SliceThickness": a.THICKNESS,
        "SpacingBetweenSlices": a.BETWEEN_SLICES,
    },
    "PlanePositionSequence": {"ImagePositionPatient": a.POSITION},
    "PlaneOrientationSequence": {"ImageOrientationPatient": a.ORIENTATION},
    "PixelValueTransformationSequence": {
        "RescaleIntercept": a.INTERCEPT,
        "RescaleSlope": a.SLOPE,
        "RescaleType": a.RESCALE_TYPE,
    },
    "FrameVOILUTSequence": {
        "WindowCenter": a.WINDOW_CENTER,
        "WindowWidth": a.WINDOW_WIDTH,
        "WindowCenterWidthExplanation": a.WINDOW_EXPLANATION,
        "VOILUTFunction": a.VOI_FUNCTION,
    },
    "FrameContentSequence": {
        "TemporalPositionIndex": a.TEMPORAL_POSITION,
        "FrameAcquisitionNumber": a.ACQUISITION_NUMBER,
        "FrameAcquisitionDateTime": a.ACQUISITION_TIME,
        "StackID": a.STACK,
    },
    "SegmentIdentificationSequence": {"ReferencedSegmentNumber": a.SEGMENT},
    "MREchoSequence": {"EffectiveEchoTime": a.ECHO_TIME},
    "MRDiffusionSequence": {"DiffusionBValue": a.B_VALUE},
    "CardiacSynchronizationSequence": {"NominalCardiacTriggerDelayTime": a.TRIGGER_TIME},
    "CTImageFrameTypeSequence": _FRAME_TYPE,
    "MRImageFrameTypeSequence": _FRAME_TYPE,
    "PETFrameTypeSequence": _FRAME_TYPE,
    "XAXRFFrameCharacteristicsSequence": _FRAME_TYPE,
}
"""Attributes by functional group, and the tag under which a single-frame file would carry them."""


def frame_headers(header: Header, frames: int) -> tuple[Header, ...]:
    """One header for each frame of a file.

    Raises
    ------
    SeriesError
        The functional groups are damaged, or there are not as many as frames.
    """
    if a.FRAME_GROUPS in header:
        return tuple(_from_groups(header, frames))
    plain = {tag: value for tag, value in header.raw.items() if tag != a.POSITION}
    offsets = header.numbers(a.GRID_OFFSETS)
    position, orientation = header.numbers(a.POSITION), header.numbers(a.ORIENTATION)
    if len(offsets) != frames or len(position) != 3 or len(orientation) != 6:
        return (replace(header, raw=plain),) * frames
    normal = np.cross(orientation[:3], orientation[3:])
    places = np.add(position, np.subtract(offsets, offsets[0])[:, None] * normal)
    return tuple(replace(header, raw=plain | {a.POSITION: _bytes(place.tolist())}) for place in places)


def _from_groups(header: Header, frames: int) -> Iterator[Header]:
    try:
        with quiet():
            dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
            shared = (
                _values(dataset.SharedFunctionalGroupsSequence[0])
                if dataset.get("SharedFunctionalGroupsSequence")
                else {}
            )
            own = [_values(item) for item in dataset.PerFrameFunctionalGroupsSequence]
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(f"{header.path.name} has functional groups that cannot be read: copy it again.") from fault
    if len(own) != frames:
        raise SeriesError(
            f"{header.path.name} tells of {len(own)} frames and holds {frames}: copy it again from its source."
        )
    for values in own:
        yield replace(header, raw=header.raw | shared | values)


def _values(group: pydicom.Dataset) -> dict[int, bytes]:
    """The undecoded values of one item of functional groups, by the tag of a single-frame file."""
    found = {}
    for sequence, attributes in GROUPS.items():
        items = group.get(sequence)
        for keyword, tag in attributes.items() if items else ():
            value = items[0].get(keyword)
            if value is not None and value != "":
                found[tag] = pack("<d", value) if tag == a.B_VALUE else _bytes(value)
    diffusion = group.get("MRDiffusionSequence")
    direction = diffusion[0].get("DiffusionGradientDirectionSequence") if diffusion else None
    if direction and "DiffusionGradientOrientation" in direction[0]:
        found[a.B_DIRECTION] = pack("<3d", *direction[0].DiffusionGradientOrientation)
    return found


def _bytes(value: Any) -> bytes:
    values = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    return "\\".join(_text(each) for each in values).encode("latin-1", "replace")


def _text(value: Any) -> str:
    if isinstance(value, (int, float)):
        return repr(float(value)) if not math.isfinite(value) or value != int(value) else str(int(value))
    return str(value)

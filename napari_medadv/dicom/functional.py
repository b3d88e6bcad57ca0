"""Functional groups: what a multi-frame file says of each of its frames (PS3.3 C.7.6.16), as one header a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from io import FileIO
from itertools import islice
from struct import calcsize, pack, unpack
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.groups import Groups, Trail, Values
from napari_medadv.dicom.header import Header, numbers
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.walk import Doubt
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
        "ModalityLUTSequence": a.MODALITY_LUT,
    },
    "FrameVOILUTSequence": {
        "WindowCenter": a.WINDOW_CENTER,
        "WindowWidth": a.WINDOW_WIDTH,
        "WindowCenterWidthExplanation": a.WINDOW_EXPLANATION,
        "VOILUTFunction": a.VOI_FUNCTION,
        "VOILUTSequence": a.VOI_LUT,
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
"""Attributes by functional group, and the tag under which a single-frame file would carry them; of a lookup table, only that it is there."""
_DIRECTION = ("MRDiffusionSequence", "DiffusionGradientDirectionSequence", "DiffusionGradientOrientation")
_FORMS = {b"US": "<H", b"UL": "<L", b"FD": "<d"}
_DOUBLES = {a.B_VALUE: 8, a.B_DIRECTION: 24}
"""Attributes that stay binary, and their length in bytes."""
_Raw = dict[int, bytes]


def _path(*keywords: str) -> Trail:
    return tuple(int(tag_for_keyword(keyword) or 0) for keyword in keywords)


_ATTRIBUTES: dict[Trail, tuple[int, bytes]] = {
    _path(sequence, keyword): (tag, dictionary_VR(keyword).encode())
    for sequence, attributes in GROUPS.items()
    for keyword, tag in attributes.items()
} | {_path(*_DIRECTION): (a.B_DIRECTION, b"FD")}
"""The same by path, with the value representation of each."""


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
    absolute = offsets[0] != 0 and abs(offsets[0] - position[2]) < 1e-3  # then they are z coordinates (PS3.3 C.8.8.3.2)
    normal = np.array([0.0, 0.0, 1.0]) if absolute else np.cross(orientation[:3], orientation[3:])
    places = np.add(position, np.subtract(offsets, offsets[0])[:, None] * normal)
    return tuple(replace(header, raw=plain | {a.POSITION: _bytes(place.tolist())}) for place in places)


def _from_groups(header: Header, frames: int) -> Iterator[Header]:
    try:
        shared, own = _walked(header, frames)
    except OSError as fault:
        raise SeriesError(f"{header.path.name} cannot be read ({fault.strerror}): check its disk.") from fault
    except Doubt:
        shared, own = _asked(header)
    if len(own) != frames:
        raise SeriesError(
            f"{header.path.name} tells of {'more' if len(own) > frames else len(own)} frames and holds {frames}: copy it again from its source."
        )
    raw = header.raw | shared
    for frame, values in enumerate(own):
        yield Header(
            header.file,
            header.syntax,
            raw | values,
            header.pixels,
            header.size,
            header.little,
            frame=frame,
            stamp=header.stamp,
        )


def _walked(header: Header, frames: int) -> tuple[_Raw, list[_Raw]]:
    """What all frames share, and what each says itself, read without building data sets."""
    if not header.little or [tag for tag, *_ in header.groups][-1:] != [a.FRAME_GROUPS]:
        raise Doubt
    first, last = header.groups[0][1], header.groups[-1][3]
    with FileIO(header.file) as file:
        file.seek(first)
        data = file.read(last - first) or b""
    explicit = header.syntax != a.IMPLICIT
    groups = Groups({path: vr for path, (_, vr) in _ATTRIBUTES.items()}, explicit=explicit)
    found: dict[int, list[_Raw]] = {}
    for tag, start, value, end in header.groups:
        if end - first > len(data) or (explicit and data[start - first + 4 : start - first + 6] != b"SQ"):
            raise Doubt
        items = groups.read(data, value - first, end - first)
        found[tag] = [_meaning(values) for values in islice(items, frames + 1)]
    return (found.get(a.SHARED_GROUPS) or [{}])[0], found[a.FRAME_GROUPS]


def _meaning(values: Values) -> _Raw:
    found: _Raw = {}
    for path, value in values.items():
        tag, vr = _ATTRIBUTES[path]
        if tag in a.SEQUENCES:
            found[tag] = b""
            continue
        if tag in _DOUBLES:
            if len(value) not in (0, _DOUBLES[tag]):
                raise Doubt
            meant = value
        else:
            meant = _meant(vr, value)
        if meant and tag in found:
            raise Doubt
        if meant:
            found[tag] = meant
    return found


@lru_cache(1 << 14)
def _meant(vr: bytes, value: bytes) -> bytes:
    """A value as a single-frame file would hold it; empty where there is none."""
    if value and vr in _FORMS:
        if len(value) != calcsize(_FORMS[vr]):
            raise Doubt
        return _bytes(unpack(_FORMS[vr], value)[0])
    text = value.strip(b" \0")
    if not text.isascii() or b"\x1b" in text or (text and vr == b"DS" and not numbers(value)):
        raise Doubt
    return text


def _asked(header: Header) -> tuple[_Raw, list[_Raw]]:
    """What `_walked` reads, as pydicom reads it."""
    try:
        with quiet():
            dataset = pydicom.dcmread(header.file, stop_before_pixels=True, force=True)
            shared = dataset.get("SharedFunctionalGroupsSequence")
            return _values(shared[0]) if shared else {}, [
                _values(item) for item in dataset.PerFrameFunctionalGroupsSequence
            ]
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(f"{header.path.name} has functional groups that cannot be read: copy it again.") from fault


def _values(group: pydicom.Dataset) -> _Raw:
    """The undecoded values of one item of functional groups, by the tag of a single-frame file."""
    found: _Raw = {}
    for sequence, attributes in GROUPS.items():
        items = group.get(sequence)
        for keyword, tag in attributes.items() if items else ():
            value = items[0].get(keyword)
            if tag in a.SEQUENCES:
                found |= {tag: b""} if value is not None else {}
            elif value is not None and value != "":
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

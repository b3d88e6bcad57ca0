"""Lookup: the tables of a file: what stored values mean (Modality LUT) and how they are displayed (VOI LUT); PS3.3 C.11.1, C.11.2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pydicom

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError
from napari_medadv.table import Table
from napari_medadv.volume import Floats, Window

_UNSPECIFIED = ("", "US", "UNSPECIFIED")
_MODALITY = ("PixelValueTransformationSequence", "ModalityLUTSequence")
_DISPLAY = ("FrameVOILUTSequence", "VOILUTSequence")
"""Functional group and sequence of each table."""


def modality_table(headers: Sequence[Header]) -> Table | None:
    """The Modality LUT that the files of a series, and their frames, share, or None.

    Raises
    ------
    SeriesError
        It is damaged, or the files or frames have different ones.
    """
    found: dict[Table | None, Header] = {}
    for some in _by_file(headers).values():
        for table, header in _modalities(some):
            found.setdefault(table, header)
    if len(found) > 1:
        name = list(found.values())[1].path.name
        raise SeriesError(
            f"{name} has another modality lookup table than the rest of its series: choose a single image."
        )
    return next(iter(found))


def _by_file(headers: Sequence[Header]) -> dict[str, list[Header]]:
    found: dict[str, list[Header]] = {}
    for header in headers:
        found.setdefault(header.file, []).append(header)
    return found


def _modalities(headers: Sequence[Header]) -> Iterator[tuple[Table | None, Header]]:
    """The different tables of the frames of one file, None where there is none, each with the first header of its kind."""
    without = next((header for header in headers if a.MODALITY_LUT not in header), None)
    if without is not None:
        yield None, without
    told = [header for header in headers if a.MODALITY_LUT in header]
    try:
        dataset = _dataset(told[0]) if told else pydicom.Dataset()
        items = [(_items(dataset, each, *_MODALITY)[0], each) for each in told]
        apart = {id(item): (item, each) for item, each in reversed(items)}
        tables = [(_modality(item, each), each) for item, each in apart.values()]
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(
            f"{headers[0].path.name} has a modality lookup table that cannot be read: copy it again from its source."
        ) from fault
    yield from tables


def _modality(item: pydicom.Dataset, header: Header) -> Table:
    first, entries, _ = _entries(item, header.little)
    kind = str(item.get("ModalityLUTType", "") or "").strip()
    return Table(first, entries, "rescaled value" if kind.upper() in _UNSPECIFIED else kind)


def display_tables(header: Header) -> tuple[Window, ...]:
    """The VOI LUTs of a file, or of one of its frames, as windows; a damaged one is left out, for it is no reason to refuse the pixels."""
    if a.VOI_LUT not in header:
        return ()
    found = []
    try:
        for item in _items(_dataset(header), header, *_DISPLAY):
            first, entries, bits = _entries(item, header.little)
            found.append(
                Window.from_table(Table(first, entries / ((1 << bits) - 1)), str(item.get("LUTExplanation", "") or ""))
            )
    except (Exception, RecursionError):  # pydicom raises nearly everything on a damaged file
        pass
    return tuple(found)


def _dataset(header: Header) -> pydicom.Dataset:
    with quiet():
        return pydicom.dcmread(header.path, stop_before_pixels=True, force=True)


def _items(dataset: pydicom.Dataset, header: Header, group: str, keyword: str) -> Sequence[pydicom.Dataset]:
    """The items of a table's sequence: those of the frame's own functional group, else of the shared one, else of the image."""
    holders = [dataset]
    with quiet():
        if header.frame is not None:
            shared = dataset.get("SharedFunctionalGroupsSequence") or ()
            own = dataset.PerFrameFunctionalGroupsSequence[header.frame]
            holders = [(each.get(group) or (pydicom.Dataset(),))[0] for each in (own, *shared)] + holders
        found: Sequence[pydicom.Dataset] = next(each for each in holders if keyword in each)[keyword].value
    return found


def _entries(item: pydicom.Dataset, little: bool) -> tuple[int, Floats, int]:
    """First input, entries and bits of an entry."""
    with quiet():
        count, first, bits = (int(number) for number in item.LUTDescriptor)
        data = item.LUTData
    count = (count & 0xFFFF) or 1 << 16
    if not 8 <= bits <= 16:
        raise ValueError(bits)
    if isinstance(data, bytes):
        entries = np.frombuffer(data, "u1" if len(data) < 2 * count else "<u2" if little else ">u2")
    else:
        entries = np.atleast_1d(np.asarray(data, np.int64)) & 0xFFFF
        if len(entries) * 2 in (count, count + 1) and len(entries) < count:  # two entries of 8 bits in a word
            entries = entries.astype("<u2").view("u1")
    if len(entries) < count:
        raise ValueError(len(entries))
    return first, entries[:count].astype(np.float64), bits

"""Lookup: the tables of a file: what stored values mean (Modality LUT) and how they are displayed (VOI LUT); PS3.3 C.11.1, C.11.2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pydicom

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError
from napari_medadv.table import Table
from napari_medadv.volume import Floats, Window

_UNSPECIFIED = ("", "US", "UNSPECIFIED")


def modality_table(headers: Sequence[Header]) -> Table | None:
    """The Modality LUT that the files of a series share, or None.

    Raises
    ------
    SeriesError
        It is damaged, or the files have different ones.
    """
    found: dict[Table | None, Header] = {}
    for header in {each.path: each for each in headers}.values():
        found.setdefault(_modality(header), header)
    if len(found) > 1:
        name = list(found.values())[1].path.name
        raise SeriesError(
            f"{name} has another modality lookup table than the rest of its series: choose a single image."
        )
    return next(iter(found))


def _modality(header: Header) -> Table | None:
    if a.MODALITY_LUT not in header:
        return None
    try:
        item = _items(header, "ModalityLUTSequence")[0]
        first, entries, _ = _entries(item, header.little)
        kind = str(item.get("ModalityLUTType", "") or "").strip()
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(
            f"{header.path.name} has a modality lookup table that cannot be read: copy it again from its source."
        ) from fault
    return Table(first, entries, "rescaled value" if kind.upper() in _UNSPECIFIED else kind)


def display_tables(header: Header) -> tuple[Window, ...]:
    """The VOI LUTs of a file as windows; a damaged one is left out, for it is no reason to refuse the pixels."""
    if a.VOI_LUT not in header:
        return ()
    found = []
    try:
        for item in _items(header, "VOILUTSequence"):
            first, entries, bits = _entries(item, header.little)
            found.append(
                Window.from_table(Table(first, entries / ((1 << bits) - 1)), str(item.get("LUTExplanation", "") or ""))
            )
    except (Exception, RecursionError):  # pydicom raises nearly everything on a damaged file
        pass
    return tuple(found)


def _items(header: Header, keyword: str) -> Sequence[pydicom.Dataset]:
    with quiet():
        dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
        items: Sequence[pydicom.Dataset] = dataset[keyword].value
    return items


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

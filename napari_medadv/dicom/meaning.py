"""Meaning: what the stored integers of a series stand for, and the windows that its files propose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.geometry import distinct, placed
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.lookup import display_tables, modality_table
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Floats, Scale, Window

ADVERSARIAL = "ADVERSARIAL"
"""The word in Image Type and Series Description that marks our own output."""
_UNSPECIFIED = ("", "US", "UNSPECIFIED")


def scale(headers: Sequence[Header], layout: Layout) -> Scale:
    """The scale of slices in order, one slope and intercept a slice unless all are the same."""
    low, high = layout.limits
    if layout.colour:
        return Scale("level" if high == 255 else "stored value", low, high)
    slope = np.array([header.number(a.SLOPE) or header.number(a.DOSE_SCALING) or 1.0 for header in headers])
    intercept = np.array([header.number(a.INTERCEPT) or 0.0 for header in headers])
    if any(a.MODALITY_LUT in header for header in headers):
        return _tabled(headers, layout)
    if (slope == slope[0]).all() and (intercept == intercept[0]).all():
        slope, intercept = slope[:1], intercept[:1]
    return Scale(_common_unit(headers, slope, intercept), low, high, slope, intercept, _padding(headers, layout))


def _tabled(headers: Sequence[Header], layout: Layout) -> Scale:
    """The scale where a lookup table says what integers mean: a line if it is one, else stored values beside their table."""
    (low, high), padding, table = layout.limits, _padding(headers, layout), modality_table(headers)
    assert table is not None
    line = table.line(low, high)
    if line is None:
        return Scale("stored value", low, high, padding=padding, table=table)
    unit = "stored value" if line == (1, 0) and table.unit == "rescaled value" else table.unit
    return Scale(unit, low, high, np.array(line[:1]), np.array(line[1:]), padding)


def _common_unit(headers: Sequence[Header], slope: Floats, intercept: Floats) -> str:
    """The unit of all slices, which must say the same."""
    kinds = distinct(headers, a.RESCALE_TYPE, a.UNITS, a.SLOPE, a.DOSE_SCALING, a.DOSE_UNITS)
    units = list(dict.fromkeys(_unit(each, slope, intercept) for each in kinds))
    if len(units) > 1:
        raise SeriesError(
            f"The slices of this series have different units ({', '.join(units)}): choose a series in one unit."
        )
    return units[0]


def _unit(header: Header, slope: Floats, intercept: Floats) -> str:
    if a.DOSE_SCALING in header:
        return header.text(a.DOSE_UNITS) or "rescaled value"
    named = header.text(a.RESCALE_TYPE).upper()
    if named not in _UNSPECIFIED:
        return "HU" if named == "HU" else header.text(a.RESCALE_TYPE)
    if header.text(a.MODALITY) == "CT" and a.SLOPE in header:
        return "HU"
    if header.text(a.UNITS) and a.SLOPE in header:
        return header.text(a.UNITS)
    return "stored value" if (slope == 1).all() and (intercept == 0).all() else "rescaled value"


def _padding(headers: Sequence[Header], layout: Layout) -> tuple[int, int] | None:
    """The padding of all slices: that of those which name one; the first's, where they name different ones."""
    return next(iter(_paddings(headers, layout)), None)


def _paddings(headers: Sequence[Header], layout: Layout) -> list[tuple[int, int]]:
    """The different paddings that slices name."""
    found = [_one_padding(each, layout) for each in distinct(headers, a.PADDING, a.PADDING_LIMIT)]
    return list(dict.fromkeys(each for each in found if each is not None))


def _one_padding(header: Header, layout: Layout) -> tuple[int, int] | None:
    first = header.short(a.PADDING, signed=layout.signed)
    if first is None:
        return None
    limit = header.short(a.PADDING_LIMIT, signed=layout.signed)
    low, high = sorted((first, first if limit is None else limit))
    least, most = layout.limits
    return None if high < least or low > most else (max(low, least), min(high, most))


def windows(header: Header, scale: Scale) -> tuple[Window, ...]:
    """The windows that a file proposes and then its display tables, in the unit of `scale`; impossible ones are left out."""
    found = (*_linear(header), *display_tables(header))
    if scale.table is None:
        return found
    low, high = float(scale.table.entries.min()), float(scale.table.entries.max())
    if not found and high > low:
        found = (Window((low + high) / 2, high - low, "LINEAR_EXACT", f"all of {scale.table.unit}"),)
    return tuple(window.through(scale.table) for window in found)


def _linear(header: Header) -> tuple[Window, ...]:
    """The windows of center and width."""
    named = header.text(a.VOI_FUNCTION)
    function = named if named in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"
    explanations = [each.strip() for each in header.words(a.WINDOW_EXPLANATION).split("\\")]
    found = []
    for index, (center, width) in enumerate(
        zip(header.numbers(a.WINDOW_CENTER), header.numbers(a.WINDOW_WIDTH), strict=False)
    ):
        if width >= 1 or (function != "LINEAR" and width > 0):
            explanation = explanations[index] if index < len(explanations) else ""
            found.append(Window(center, width, function, explanation))  # type: ignore[arg-type]  # one of three words
    return tuple(found)


def facts(headers: Sequence[Header], layout: Layout) -> tuple[str, ...]:
    """What is unusual about the pixels of these slices, in words."""
    header, found = headers[0], []
    kinds = distinct(headers, a.SYNTHETIC, a.IMAGE_TYPE, a.SERIES_DESCRIPTION)
    if any(synthetic(each) for each in kinds):
        marked = any(adversarial(each) for each in kinds)
        found.append("synthetic: marked as " + ("adversarial test image" if marked else "made artificially"))
    if layout.palette:
        found.append("colours were stored as indices of a palette and are read as RGB")
    if layout.colour and layout.photometric.startswith("YBR"):
        found.append(f"colours were stored as {layout.photometric} and are read as RGB")
    if {each.syntax for each in headers} & {a.JPEG_BASELINE, a.JPEG_EXTENDED} or any(
        each.text(a.LOSSY) == "01" for each in distinct(headers, a.LOSSY)
    ):
        found.append("lossy compression: fine structure was lost before this volume was read")
    if a.MODALITY_LUT in header:
        found.append(
            "a modality lookup table says what stored values mean; where it is no line, budgets are in stored values"
        )
    if layout.real:
        found.append(
            "pixels are floating point numbers: they can be looked at and classified, but have no grey levels to attack"
        )
    if layout.tiles > 1:
        found.append(f"its {layout.tiles} slices were the tiles of a mosaic (Siemens)")
    if sides(header)[0][:1] == "R" and not placed(header):
        found.append("stored as seen from behind: the patient's right is on the picture's right")
    if len(_paddings(headers, layout)) > 1:
        found.append("its slices name different padding values: only the first of them is left untouched")
    if header.text(a.BURNED_IN) == "YES":
        found.append("the file says that text is burned into the image")
    return tuple(found)


_OURS = str.maketrans("HF", "SI")
_AXES = {"R": "x", "L": "x", "A": "y", "P": "y", "S": "z", "I": "z"}


def sides(header: Header) -> tuple[str, str]:
    """Where columns and rows run to in the patient (Patient Orientation, PS3.3 C.7.6.1.1.1): "L", "I", ...; "" where it is not said.

    Head is S and foot is I, as everywhere here.
    """
    found = tuple(text.upper().translate(_OURS) for text in header.texts(a.PATIENT_ORIENTATION))
    axes = [[_AXES.get(letter, "") for letter in text] for text in found]
    if len(found) != 2 or not all(axes) or any("" in each or len(set(each)) < len(each) for each in axes):
        return "", ""
    return ("", "") if axes[0][0] == axes[1][0] else (found[0], found[1])


def synthetic(header: Header) -> bool:
    """Whether a file says that it was made artificially (Synthetic Data), or carries our mark."""
    return header.text(a.SYNTHETIC) == "YES" or adversarial(header)


def adversarial(header: Header) -> bool:
    """Whether a file carries the mark of an adversarial test image."""
    return ADVERSARIAL in header.texts(a.IMAGE_TYPE) or header.text(a.SERIES_DESCRIPTION).startswith(f"[{ADVERSARIAL}")

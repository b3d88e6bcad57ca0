"""Tags: everything that a DICOM file says, as lines to search; what names the patient is hidden until it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from napari_medadv.dicom.header import read_header
from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError

HIDDEN = "hidden"
"""What is shown in the place of a value that could name the patient."""
SHOWN = 200
"""A longer value is cut to so many characters."""
DEEPEST = 32
_IDENTIFYING_VR = ("PN", "DA", "DT", "TM", "LT", "ST", "UT", "UC", "UN", "UR", "AE", "AS")
_SHOWN_TEXT = frozenset(
    "Manufacturer ManufacturerModelName SoftwareVersions ConvolutionKernel RescaleType WindowCenterWidthExplanation "
    "DerivationDescription ContributionDescription LUTExplanation CodeValue CodeMeaning CodingSchemeDesignator "
    "CodingSchemeVersion SequenceName PulseSequenceName ReceiveCoilName TransmitCoilName ImplementationVersionName "
    "DetectorDescription FilterMaterial AcquisitionDeviceProcessingCode PixelPresentation StackID DeidentificationMethod".split()
)

_ABOUT_PEOPLE = ("Person", "Physician", "Operator", "Institution", "Observer", "Recipient", "Insurance")
"""Words in the keywords of sequences whose codes name people and places (PS3.3, table 10-1)."""
_TEXT_VR = ("CS", "LO", "SH", "ST", "LT", "UT", "UC")
_WORD = re.compile(r"[^\W_]{3,}")


@dataclass(frozen=True, slots=True)
class TagLine:
    """One element of a file.

    Attributes
    ----------
    depth
        0 at the top; 1 in an item of a sequence, and so on.
    tag, keyword, name, vr
        As in the dictionary (PS3.6); a private element has its creator as name.
    value
        The value in words; `HIDDEN` where it could name the patient.
    identifying
        Whether the value could name the patient.
    """

    depth: int
    tag: str
    keyword: str
    name: str
    vr: str
    value: str
    identifying: bool

    def matches(self, words: str) -> bool:
        """Whether every word occurs in the tag, the names, the representation or the shown value, in any case."""
        text = f"{self.tag} {self.tag.replace(',', '')} {self.keyword} {self.name} {self.vr} {self.value}".casefold()
        return all(word in text for word in words.casefold().split())


def tags(path: Path, *, identity: bool = False) -> tuple[TagLine, ...]:
    """Everything that a file says, but its pixels.

    Parameters
    ----------
    identity
        Show what could name the patient, too.

    Raises
    ------
    SeriesError
        The file is not readable DICOM.
    """
    path = Path(path)
    if not path.is_file():
        raise SeriesError(f"{path.name} is not a file: choose one DICOM file.")
    read_header(path)  # refuses what is hostile before pydicom reads it
    try:
        with quiet():
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            secret = _secret(dataset)
            meta = (
                [_line(element, 0, identity, secret) for element in dataset.file_meta]
                if "file_meta" in dataset.__dict__
                else []
            )
            return (*meta, *_lines(dataset, 0, identity, secret))
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(f"{path.name} has elements that cannot be listed: copy it again from its source.") from fault


def _lines(
    dataset: Dataset, depth: int, identity: bool, secret: frozenset[str], closed: bool = False
) -> Iterator[TagLine]:
    """The elements; where `closed`, all of them stand in a sequence about people."""
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # a value that its representation does not allow; the other elements are worth showing
            yield TagLine(depth, _tag(tag), "", "", "??", "unreadable", False)
            continue
        yield _line(element, depth, identity, secret, closed)
        if element.VR == "SQ" and depth < DEEPEST:
            for number, item in enumerate(element.value):
                yield TagLine(
                    depth + 1, "(fffe,e000)", "Item", f"Item {number + 1} of {len(element.value)}", "", "", False
                )
                yield from _lines(item, depth + 2, identity, secret, closed or _about_people(element))


def _line(element: DataElement, depth: int, identity: bool, secret: frozenset[str], closed: bool = False) -> TagLine:
    identifying = element.VR != "SQ" and (closed or _identifying(element) or _repeats(element, secret))
    shown = _words(element) if identity or not identifying else HIDDEN if element.value not in (None, "", b"") else ""
    return TagLine(depth, _tag(element.tag), element.keyword, element.name, element.VR, shown, identifying)


def _tag(tag: int) -> str:
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def _about_people(element: DataElement) -> bool:
    """Whether even the codes in a sequence could name somebody."""
    tag, keyword = element.tag, element.keyword
    return tag.is_private or tag.group in (0x0010, 0x0038) or any(word in keyword for word in _ABOUT_PEOPLE)


def _secret(dataset: Dataset) -> frozenset[str]:
    """The words of the patient's name and id, in small letters."""
    try:
        said = f"{dataset.get('PatientName', '')} {dataset.get('PatientID', '')}"
    except Exception:  # a damaged value, which is not shown either
        return frozenset()
    return frozenset(_WORD.findall(said.casefold()))


def _repeats(element: DataElement, secret: frozenset[str]) -> bool:
    """Whether a text holds a word of the patient's name or id."""
    return element.VR in _TEXT_VR and not secret.isdisjoint(_WORD.findall(str(element.value).casefold()))


def _identifying(element: DataElement) -> bool:
    """Whether a value could name the patient or link to them: all but what is known to be technical."""
    if element.keyword in _SHOWN_TEXT or element.VR == "SQ":
        return False
    if element.tag.is_private or not element.keyword:
        return True
    kinds = {element.VR, *dictionary_VR(element.tag).split(" or ")}  # a file may name another representation
    if not kinds.isdisjoint((*_IDENTIFYING_VR, "LO", "SH")):
        return True
    if element.VR == "UI":
        values = [element.value] if isinstance(element.value, str) else element.value or []
        return not all(str(value).startswith("1.2.840.10008.") for value in values)
    return element.tag.group in (0x0010, 0x0032, 0x0038, 0x0040)


def _words(element: DataElement) -> str:
    value = element.value
    if element.VR == "SQ":
        return f"{len(value)} item{'s' if len(value) != 1 else ''}"
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    if value is None:
        return ""
    text = " \\ ".join(map(str, value)) if element.VM > 1 else str(value)
    named = f"{text} ({value.name})" if element.VR == "UI" and element.VM == 1 and value.name != text else text
    clean = "".join(letter if letter.isprintable() else " " for letter in named)
    return clean if len(clean) <= SHOWN else clean[: SHOWN - 1] + "…"

"""Header forensics: contradictions between what a file claims and what it is (DICOM PS3.3, PS3.5); no paper needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.dicom.alone import pydicom
from napari_medadv.dicom.baseline.pixels import stored
from napari_medadv.dicom.series import Series
from napari_medadv.errors import DetectorError, SeriesError

_TOOLS = (
    "1.2.826.0.1.3680043.8.498",
    "1.2.276.0.7230010.3",
    "1.2.826.0.1.3680043.9.3811",
    "2.25",
    "1.2.826.0.1.3680043.2.1143",
)
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91")


@dataclass(frozen=True, slots=True)
class Header:
    """How many contradictions the headers of the series hold; it informs and is not fused."""

    needs: ClassVar[tuple[Need, ...]] = ("file",)
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "an adversary who writes headers with care, or changes pixels in place"

    @property
    def passes(self) -> int:
        """None: the network is not asked."""
        return 0

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The number of contradictions, the same for every entry: (batch,)."""
        if suspect.series is None:
            raise DetectorError(
                "Header forensics needs the files, and this volume came without them: examine a series."
            )
        return torch.full((len(suspect.values),), float(len(contradictions(suspect.series))))


def contradictions(series: Series) -> tuple[str, ...]:
    """What does not fit together, one sentence each, without any identity."""
    headers = [pydicom.dcmread(i.path, stop_before_pixels=True, force=True) for i in series.instances]
    found = []
    for check in (_marked, _derived, _original, _made_by_tool, _lossy, _uids, _private):
        found += check(headers)
    return tuple(dict.fromkeys(found + _extremes(series, headers)))


def header_words(series: Series) -> tuple[str, ...]:
    """The contradictions for a person; or that there is none, or that a header cannot be read."""
    try:
        found = contradictions(series)
    except Exception as fault:  # pydicom raises nearly everything on a damaged file
        found = (f"A header cannot be read ({type(fault).__name__}).",)
    count = len(series.instances)
    return found or (f"No contradiction was found in {count} file{'s' if count > 1 else ''}.",)


def _some(count: int, headers: Sequence[pydicom.Dataset]) -> str:
    return "All files" if count == len(headers) else f"{count} of {len(headers)} files"


def _text(header: pydicom.Dataset, keyword: str) -> str:
    return str(header.get(keyword, "") or "")


def _first(header: pydicom.Dataset) -> str:
    kind = header.get("ImageType")
    return str(kind[0]) if kind and not isinstance(kind, str) else str(kind or "")


def _marked(headers: Sequence[pydicom.Dataset]) -> list[str]:
    marked = [h for h in headers if _text(h, "SyntheticData") == "YES" or "ADVERSARIAL" in str(h.get("ImageType", ""))]
    patients = [h for h in headers if _text(h, "PatientID").startswith("ADV-")]
    return [
        f"{_some(len(x), headers)} are marked as synthetic or adversarial test images."
        for x in (marked or patients,)
        if x
    ]


def _derived(headers: Sequence[pydicom.Dataset]) -> list[str]:
    odd = [
        h for h in headers if _first(h) == "ORIGINAL" and ("DerivationDescription" in h or "SourceImageSequence" in h)
    ]
    return (
        [f"{_some(len(odd), headers)} call themselves ORIGINAL and name a derivation or a source image."] if odd else []
    )


def _original(headers: Sequence[pydicom.Dataset]) -> list[str]:
    kinds = {_first(h) for h in headers}
    return (
        ["Some files of the series are ORIGINAL and others are not."] if "ORIGINAL" in kinds and len(kinds) > 1 else []
    )


def _made_by_tool(headers: Sequence[pydicom.Dataset]) -> list[str]:
    found = []
    tools = [h for h in headers if _text(h.file_meta, "ImplementationClassUID").startswith(_TOOLS)]
    odd = [h for h in tools if _first(h) == "ORIGINAL" and _text(h, "Manufacturer")]
    if odd:
        found.append(
            f"{_some(len(odd), headers)} name a scanner's manufacturer, and were last written by a software toolkit."
        )
    writers = {_text(h.file_meta, "ImplementationClassUID") for h in headers}
    if len(writers) > 1:
        found.append(f"The files of the series were written by {len(writers)} different programs.")
    return found


def _lossy(headers: Sequence[pydicom.Dataset]) -> list[str]:
    odd = [
        h for h in headers
        if _text(h.file_meta, "TransferSyntaxUID") in _LOSSY[:3] and _text(h, "LossyImageCompression") == "00"
    ]  # fmt: skip
    return [f"{_some(len(odd), headers)} are compressed with loss and say that they are not."] if odd else []


def _uids(headers: Sequence[pydicom.Dataset]) -> list[str]:
    found = []
    odd = [
        h for h in headers
        if _text(h.file_meta, "MediaStorageSOPInstanceUID") not in ("", _text(h, "SOPInstanceUID"))
    ]  # fmt: skip
    if odd:
        found.append(f"{_some(len(odd), headers)} carry two different SOP Instance UIDs.")
    roots = {_root(_text(h, "SOPInstanceUID")) for h in headers}
    if len(roots) > 1:
        found.append(f"The SOP Instance UIDs of the series have {len(roots)} different roots.")
    if len({_text(h, "SOPInstanceUID") for h in headers}) < len(headers):
        found.append("Two files carry the same SOP Instance UID.")
    return found


def _root(uid: str) -> str:
    """Whose numbers they are; those of a UUID (2.25, PS3.5 B.2) have nothing else in common, and the last part counts."""
    return "2.25" if uid.startswith("2.25.") else ".".join(uid.split(".")[:-1][:5])[:14]


def _extremes(series: Series, headers: Sequence[pydicom.Dataset]) -> list[str]:
    """Smallest and Largest Pixel Value (0028,0106) and (0028,0107) against the pixels; files without them are not decoded.

    Many scanners name what they could store and not what they did, so only pixels beyond these values contradict them;
    both at zero say that nobody filled them in.
    """
    odd = 0
    for instance, header in zip(series.instances, headers, strict=True):
        least, most = (header.get(f"{which}ImagePixelValue") for which in ("Smallest", "Largest"))
        if not (isinstance(least, int) or isinstance(most, int)) or least == most == 0:
            continue
        try:
            pixels = stored(instance.path)
        except SeriesError:
            continue
        below = isinstance(least, int) and int(pixels.min()) < least
        odd += below or (isinstance(most, int) and int(pixels.max()) > most)
    return (
        [f"{_some(odd, headers)} hold pixels beyond the smallest or largest pixel value that they name."] if odd else []
    )


def _private(headers: Sequence[pydicom.Dataset]) -> list[str]:
    blocks = [frozenset(int(e.tag.group) for e in h if e.tag.is_private) for h in headers]
    return ["Some files of the series lack private elements that others have."] if len(set(blocks)) > 1 else []

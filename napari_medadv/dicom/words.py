"""Words: texts of a header as people read them, in the character set of their file."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataset import Dataset
from pydicom.valuerep import TEXT_VR_DELIMS

from napari_medadv.dicom.quiet import quiet


def words(value: bytes, character_sets: Sequence[str]) -> str:
    """A text in the given sets (Specific Character Set, PS3.3 C.12.1.1.2); Latin-1 where they are damaged."""
    if value.isascii() and b"\x1b" not in value:
        return printable(value.decode("ascii"))
    try:
        with quiet():
            found = decode_bytes(value, convert_encodings(list(character_sets)), TEXT_VR_DELIMS)
    except Exception:  # pydicom raises nearly everything on a damaged character set
        found = value.decode("latin-1")
    return printable(found)


def printable(text: object) -> str:
    """The text without signs that a terminal would obey and without padding."""
    return "".join(sign if sign.isprintable() else " " for sign in str(text)).strip()


UNICODE = "ISO_IR 192"
"""The character set that holds every text (UTF-8)."""


def hold(dataset: Dataset, *texts: str) -> None:
    """Let a data set be written in a character set that holds these texts: its own, or UTF-8 where that does not."""
    if not all(map(str.isascii, texts)) and not _holds(dataset.get("SpecificCharacterSet"), texts):
        to_unicode(dataset)


def to_unicode(dataset: Dataset) -> None:
    """Let a data set be written in UTF-8; what it says stays the same."""
    if dataset.get("SpecificCharacterSet") == UNICODE:
        return
    with quiet():
        _read(dataset)
    dataset.SpecificCharacterSet = UNICODE


def _read(dataset: Dataset) -> None:
    """Read every text while it is known what its bytes mean."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # what pydicom cannot read, it writes as it lies
            continue
        for item in element.value if element.VR == "SQ" else ():
            _read(item)


def _holds(character_sets: str | Sequence[str] | None, texts: Sequence[str]) -> bool:
    """Whether one of the named sets has every sign of the texts; a file that names none may hold ASCII only."""
    if not character_sets:
        return False
    try:
        with quiet():
            found = convert_encodings([character_sets] if isinstance(character_sets, str) else list(character_sets))
    except Exception:  # pydicom raises nearly everything on a damaged character set
        return False
    return any(all(_encodable(text, each) for text in texts) for each in found)


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

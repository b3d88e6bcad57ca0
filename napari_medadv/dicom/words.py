"""Words: texts of a header as people read them, in the character set of their file."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import convert_encodings, decode_bytes
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

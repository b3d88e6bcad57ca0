"""How a file begins: whether it is DICOM, and its transfer syntax."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.walk import LONG_VR, SHORT_VR, Broken, Doubt, Element, Short
from napari_medadv.errors import SeriesError


def data_set(file: str, data: bytes) -> int:
    """Where the first element is, if this is a DICOM file at all."""
    if data[128:132] == b"DICM":
        return 132
    group, number = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
    if len(data) >= 16 and group in (2, 8) and number <= 0x0100:
        return 0
    if data[:4] == b"PK\3\4":
        raise SeriesError(f"{Path(file).name} is a zip file inside of something else: choose it alone, or unpack it.")
    what = "is empty" if not data else "is not a DICOM file (it lacks the mark DICM)"
    raise SeriesError(f"{Path(file).name} {what}: choose a DICOM file or a folder of them.")


def transfer_syntax(data: bytes, start: int, size: int, seen: list[Element]) -> tuple[str, int]:
    """Read the file meta information: the transfer syntax, and where the data set begins."""
    position, syntax, end = start, "", len(data)
    while position + 12 <= end and data[position : position + 2] == b"\x02\0":
        vr = data[position + 4 : position + 6]
        if vr in LONG_VR:
            length, value = int.from_bytes(data[position + 8 : position + 12], "little"), position + 12
        elif vr in SHORT_VR:
            length, value = int.from_bytes(data[position + 6 : position + 8], "little"), position + 8
        else:
            raise Doubt
        if value + length > size:
            raise Broken("its file meta information ends behind the end of the file")
        if value + length > end:
            raise Short
        number = int.from_bytes(data[position + 2 : position + 4], "little")
        seen.append((0x20000 | number, position, value, value + length))
        if number == 0x10:
            syntax = data[value : value + length].decode("latin-1").strip(" \0")
        position = value + length
    if position + 12 > end and end < size:
        raise Short
    if not set(syntax) <= set("0123456789.") or len(syntax) > 64:
        raise Broken("its transfer syntax is no UID")
    if not syntax:
        vr = data[position + 4 : position + 6]
        syntax = a.EXPLICIT if vr in LONG_VR or vr in SHORT_VR else a.IMPLICIT
    return syntax, position

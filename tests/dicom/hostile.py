"""Hostile files: what a damaged medium or an attacker could hand over, made from a small CT."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from struct import pack

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from tests.dicom.making import dataset

PIXELS = b"\xe0\x7f\x10\x00"


def plain(syntax: str = "1.2.840.10008.1.2.1", data: bytes | None = None) -> bytes:
    """A small CT; with `data`, encapsulated pixels."""
    ds = dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    if data is not None:
        ds.PixelData = encapsulate([data])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def _pixel_length() -> bytes:
    data = bytearray(plain())
    at = data.rindex(PIXELS) + 8
    data[at : at + 4] = pack("<L", 0xFFFFFFF0)
    return bytes(data)


def _private_length() -> bytes:
    data = plain()
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + pack("<HH2sHL", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFF0) + data[at:]


def _rows_and_columns() -> bytes:
    data = bytearray(plain())
    for tag in (b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x11\x00US\x02\x00"):
        at = data.index(tag) + 8
        data[at : at + 2] = b"\xff\xff"
    return bytes(data)


def _frames() -> bytes:
    data = plain()
    at = data.index(b"\x28\x00\x10\x00US\x02\x00")
    return data[:at] + b"\x28\x00\x08\x00IS\x0a\x002000000000" + data[at:]


def _bomb() -> bytes:
    data = plain("1.2.840.10008.1.2.1")
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    meta = bytearray(data[:start]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta[140:144] = pack("<L", len(meta) - 144)
    at = meta.index(b"\x02\x00\x10\x00UI") + 6
    meta[at : at + 2] = pack("<H", 22)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data[start:])
    for _ in range(700):
        body += packer.compress(bytes(1 << 20))
    return bytes(meta) + body + packer.flush()


def _nested() -> bytes:
    data = plain()
    at = data.index(b"\x10\x00\x10\x00PN")
    nest = b"".join(
        (b"\x08\x00\x40\x11" if not depth else b"\x08\x00\x99\x11")
        + b"SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        for depth in range(20_000)
    )
    return data[:at] + nest + data[at:]


def _jpeg2000_size() -> bytes:
    size = pack(">HHHLLLLLLLLHBBB", 0xFF51, 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1, 15, 1, 1)
    return plain("1.2.840.10008.1.2.4.90", b"\xff\x4f" + size + bytes(500))


def _jpeg_size() -> bytes:
    return plain(
        "1.2.840.10008.1.2.4.50",
        b"\xff\xd8\xff\xc0" + pack(">HBHHB", 11, 8, 60000, 60000, 1) + b"\x01\x11\x00" + bytes(400),
    )


def _rle_segments() -> bytes:
    return plain("1.2.840.10008.1.2.5", pack("<16L", 15, *range(2**31, 2**31 + 15)) + bytes(100))


def _rle_offsets() -> bytes:
    return plain("1.2.840.10008.1.2.5", pack("<16L", 2, 64, 2**32 - 1, *[0] * 13) + bytes(100))


def _fragments() -> bytes:
    data = plain("1.2.840.10008.1.2.5", bytes(64))
    at = data.rindex(PIXELS) + 12 + 8
    return data[:at] + b"\xfe\xff\x00\xe0\0\0\0\0" * 400_000


def _many_elements() -> bytes:
    data = plain()
    at = data.index(b"\x10\x00\x10\x00PN")
    some = b"".join(pack("<HH2sH", 0x0009, 0x1000 + number, b"LO", 0) for number in range(0xEFFF))
    return data[:at] + some + data[at:]


def _meta_length() -> bytes:
    data = bytearray(plain())
    at = data.index(b"\x02\x00\x10\x00UI") + 6
    data[at : at + 2] = b"\xff\xff"
    return bytes(data)


def _palette() -> bytes:
    ds = dataset(voxels=np.zeros((8, 8), np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [65535, 0, 16])
        ds.add_new(f"{colour}PaletteColorLookupTableData", "OW", b"\0\0")
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "pixel data of 4 GB declared": _pixel_length,
    "private element of 4 GB declared": _private_length,
    "65535 x 65535 declared": _rows_and_columns,
    "2,000,000,000 frames declared": _frames,
    "deflate bomb": _bomb,
    "20,000 nested sequences": _nested,
    "JPEG 2000 of 60000 x 60000": _jpeg2000_size,
    "JPEG of 60000 x 60000": _jpeg_size,
    "RLE with 15 segments": _rle_segments,
    "RLE offsets outside": _rle_offsets,
    "400,000 empty fragments": _fragments,
    "60,000 private elements": _many_elements,
    "meta element behind the end": _meta_length,
    "palette shorter than it says": _palette,
    "pixel data cut short": lambda: plain()[:-50],
    "header cut short": lambda: plain()[:700],
    "nothing but a preamble": lambda: bytes(128) + b"DICM",
    "empty": bytes,
}

"""Parts: the canonical header subset of a baseline, in parts that a person can tell apart."""

from __future__ import annotations

from hashlib import blake2b

from napari_medadv.dicom.signature.canonical import canonical
from napari_medadv.dicom.signature.part10 import Part10
from napari_medadv.dicom.signature.stream import message, nameable

PHOTOMETRIC = 0x00280004
PARTS: dict[str, frozenset[int]] = {
    "identity": frozenset((0x00080016, 0x00080018, 0x00080060, 0x0020000D, 0x0020000E, 0x00200052, 0x00200060, 0x00200062)),
    "patient": frozenset((0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040)),
    "time": frozenset((0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A, 0x00080030, 0x00080031, 0x00080032)),
    "geometry": frozenset(
        (0x00180050, 0x00180088, 0x00181114, 0x00181164, 0x00185100, 0x00200013, 0x00200032, 0x00200037, 0x00201041,
         0x00280010, 0x00280011, 0x00280030, 0x00280034, 0x00280A02, 0x52009229, 0x52009230)
    ),
    "meaning": frozenset(
        (0x00080008, 0x0008001C, 0x00280002, 0x00280008, 0x00280101, 0x00280103, 0x00280120, 0x00280121, 0x00280301,
         0x00281040, 0x00281041, 0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281054, 0x00281055, 0x00281056,
         0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203, 0x00283000, 0x00283010, 0x20500020)
    ),
    "acquisition": frozenset(
        (0x00080070, 0x00081010, 0x00081090, 0x00180010, 0x00180015, 0x00180022, 0x00180060, 0x00180080, 0x00180081,
         0x00181000, 0x00181020, 0x00181100, 0x00181150, 0x00181151, 0x00181152, 0x00181160, 0x00181210, 0x00189324)
    ),
}  # fmt: skip


_OF_THE_CODEC = frozenset(
    (0x00080005, 0x00280004, 0x00280006, 0x00280100, 0x00280102, 0x00282110, 0x00282112, 0x00282114, 0x7FE00001, 0x7FE00002,
     0x7FE00008, 0x7FE00009, 0x7FE00010)
)  # fmt: skip
"""What a lossless transcoding may change."""
_NAMED = frozenset().union(*PARTS.values())


def header_digests(file: Part10, salt: bytes) -> dict[str, str]:
    """A salted digest of every part of the header; they survive lossless transcoding."""
    tidy = canonical(file)
    found = {}
    rest = frozenset(
        m.tag for m in tidy.members if nameable(m.tag) and m.tag >> 16 & 1 == 0 and m.tag not in _OF_THE_CODEC | _NAMED
    )
    for name, tags in (*PARTS.items(), ("all else", rest)):
        digest = blake2b(key=salt, digest_size=16, person=name.encode()[:16])
        for piece in message(tidy.body, tidy.members, tags, (), b""):
            digest.update(piece)
        if name == "meaning":
            photometric = tidy.text(PHOTOMETRIC)
            digest.update((photometric if photometric.startswith(("MONO", "PALETTE")) else "COLOUR").encode())
        found[name] = digest.hexdigest()
    return found

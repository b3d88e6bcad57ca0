"""Profile: what a DICOM signature must cover and with what it may be made (PS3.15 sections C.1 and C.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from napari_medadv.dicom.signature.elements import Element
from napari_medadv.dicom.signature.stream import signable

Algorithm = Literal["SHA256", "SHA384", "SHA512"]

_IDENTITY = (0x00080016, 0x00080018, 0x00080012, 0x00080013, 0x0020000D, 0x0020000E)
_EQUIPMENT = (
    0x00080070, 0x00080080, 0x00080081, 0x00081010, 0x00081040, 0x00081041, 0x00081090, 0x00181000, 0x00181002,
    0x00181008, 0x0018100A, 0x0018100B, 0x00181020, 0x00181050, 0x00181200, 0x00181201, 0x00181204, 0x00181205,
    0x00280120,
)  # fmt: skip
_IMAGE = (
    0x00080008, 0x00080022, 0x00080023, 0x0008002A, 0x00080032, 0x00080033, 0x00082111, 0x00082112, 0x00082218,
    0x00082228, 0x00189215, 0x00200012, 0x00200013, 0x00200020, 0x00200062, 0x00201002, 0x00204000, 0x00280300,
    0x00280301, 0x00280302, 0x00281300, 0x00282110, 0x00282112, 0x00282114, 0x00409096, 0x00880200, 0x20500020,
)  # fmt: skip
_PIXELS = (
    0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280034, 0x00280100, 0x00280101,
    0x00280102, 0x00280103, 0x00280106, 0x00280107, 0x00280121, 0x00281101, 0x00281102, 0x00281103, 0x00281199,
    0x00281201, 0x00281202, 0x00281203, 0x00282000, 0x00282002, 0x00287FE0, 0x7FE00001, 0x7FE00002, 0x7FE00008,
    0x7FE00009, 0x7FE00010,
)  # fmt: skip
_DOCUMENT = (
    0x0040A030, 0x0040A032, 0x0040A040, 0x0040A043, 0x0040A050, 0x0040A073, 0x0040A168, 0x0040A300, 0x0040A360,
    0x0040A370, 0x0040A372, 0x0040A375, 0x0040A385, 0x0040A491, 0x0040A492, 0x0040A493, 0x0040A504, 0x0040A730,
)  # fmt: skip
_FRAMES = (0x00209221, 0x00209222, 0x52009229, 0x52009230)
_CREATOR = frozenset(_IDENTITY + _EQUIPMENT + _IMAGE + _PIXELS + _DOCUMENT + _FRAMES)


def _nothing(tag: int) -> bool:
    return False


def _creators(tag: int) -> bool:
    group = tag >> 16
    return (
        tag in _CREATOR
        or (0x5000 <= group <= 0x501E and group % 2 == 0)
        or (0x6000 <= group <= 0x601E and group % 2 == 0)
        or group in (0x0070, 0x5400)
    )


@dataclass(frozen=True, slots=True)
class Profile:
    """What a signature promises by the rules of PS3.15.

    Attributes
    ----------
    name
        "none", "base" or "creator".
    asks
        Which tags it must cover where they are present.
    rsa_only
        Whether it takes RSA keys only.
    """

    name: Literal["none", "base", "creator"]
    asks: Callable[[int], bool] = _nothing
    rsa_only: bool = True

    def missing(self, covered: Iterable[int], members: Iterable[Element]) -> tuple[int, ...]:
        """The tags that are present, must be covered, and are not."""
        have = frozenset(covered)
        return tuple(m.tag for m in members if self.asks(m.tag) and m.tag not in have and signable(m))


NONE = Profile("none", rsa_only=False)
BASE = Profile("base")
CREATOR = Profile("creator", _creators)
PROFILES = {profile.name: profile for profile in (NONE, BASE, CREATOR)}

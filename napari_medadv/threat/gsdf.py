"""Just noticeable differences on a calibrated display: the Grayscale Standard Display Function of DICOM PS3.14."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_medadv.errors import ThreatError

_UP = (-1.3011877, 8.0242636e-2, 1.3646699e-1, -2.5468404e-2, 1.3635334e-3)
_DOWN = (1.0, -2.5840191e-2, -1.0320229e-1, 2.8745620e-2, -3.1978977e-3, 1.2992634e-4)
_INDEX = (
    71.498068,
    94.593053,
    41.912053,
    9.8247004,
    0.28175407,
    -1.1878455,
    -0.18014349,
    0.14710899,
    -0.017046845,
)
DARKEST, BRIGHTEST = 0.05, 3993.4
DARK, BRIGHT = 1.0, 350.0
"""The luminance range of a display of which nothing is said, in cd/m2."""


def luminance(index: float) -> float:
    """The luminance, in cd/m2, of a just-noticeable-difference index from 1 to 1023 (PS3.14 section 7.1)."""
    power = math.log(index)
    up = sum(factor * power**place for place, factor in enumerate(_UP))
    down = sum(factor * power**place for place, factor in enumerate(_DOWN))
    return float(10.0 ** (up / down))


def index(luminance: float) -> float:
    """The just-noticeable-difference index of a luminance in cd/m2 (PS3.14 section 7.1)."""
    power = math.log10(luminance)
    return float(sum(factor * power**place for place, factor in enumerate(_INDEX)))


@dataclass(frozen=True, slots=True)
class Display:
    """A display that is calibrated to PS3.14, with room light included.

    Attributes
    ----------
    darkest, brightest
        Its luminance range, in cd/m2.
    """

    darkest: float = DARK
    brightest: float = BRIGHT

    def __post_init__(self) -> None:
        if not DARKEST <= self.darkest < self.brightest <= BRIGHTEST:
            raise ThreatError(
                f"A display from {self.darkest:g} to {self.brightest:g} cd/m2 is none that PS3.14 describes: give a range "
                f"within {DARKEST:g} to {BRIGHTEST:g}."
            )

    @property
    def differences(self) -> float:
        """How many just noticeable differences lie between black and white; on a calibrated display they are spread evenly."""
        return index(self.brightest) - index(self.darkest)

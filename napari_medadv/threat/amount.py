"""Amount: how far an adversary may go as a person said it, and the budget that it is for one series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from napari_medadv.errors import ThreatError, VacuousBudget
from napari_medadv.threat import ball
from napari_medadv.threat.budget import L0, L1, L2, Budget, Linf
from napari_medadv.threat.gsdf import BRIGHT, DARK, Display
from napari_medadv.threat.unit import Measure, native, psnr
from napari_medadv.volume import Volume

Said = Literal["native", "percent", "grey", "jnd", "psnr"]
"""In the volume's unit, per cent of the window, grey levels of 255 in it, just noticeable differences, or PSNR in dB."""

MEASURES: dict[Said, Measure] = {
    "native": "native",
    "percent": "% of window",
    "grey": "grey level of 255",
    "jnd": "JND",
}
"""What the measures of single voxels are called where a budget is stated in all of them."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a measure of a person's choice.

    Attributes
    ----------
    number
        How much: a change of each voxel (Linf), the root mean square of all changes (L2), or, for "psnr", the least
        peak signal-to-noise ratio, in dB, that must be kept. For "native" it is epsilon itself, whatever the norm.
    measure
        In what.
    darkest, brightest
        The luminance range of the calibrated display that just noticeable differences refer to, in cd/m2.
    """

    number: float
    measure: Said = "native"
    darkest: float = DARK
    brightest: float = BRIGHT

    def __post_init__(self) -> None:
        _ = self.display
        if self.measure not in get_args(Said):
            raise ThreatError(f"{self.measure!r} is no measure of a budget: name one of {', '.join(get_args(Said))}.")
        if not math.isfinite(self.number) or (self.measure != "psnr" and self.number <= 0):
            wanted = "a finite number of decibel" if self.measure == "psnr" else "a positive, finite epsilon"
            raise VacuousBudget(
                f"A budget of {self.number:g} ({self.measure}) bounds nothing that can change: give {wanted}."
            )

    @property
    def display(self) -> Display:
        """The display that just noticeable differences refer to."""
        return Display(self.darkest, self.brightest)

    def fits(self, norm: ball.Norm) -> None:
        """Refuse a norm that this measure says nothing of.

        Raises
        ------
        ThreatError
            The measure is of one voxel, and the norm counts or adds them up.
        """
        if self.measure != "native" and norm in ("L1", "L0"):
            raise ThreatError(
                f"{norm} is measured as it is, not in {self.measure}: take native, or the norm linf or l2."
            )
        if norm == "L0" and self.number < 1:
            raise VacuousBudget(f"A budget of {self.number:g} voxels lets nothing change: give at least 1.")
        if norm == "L0" and self.number != int(self.number):
            raise ThreatError(f"A budget of {self.number:g} voxels counts a part of one: give a whole number.")

    def budget(self, norm: ball.Norm, volume: Volume, *, whole: bool = False) -> Budget:
        """The budget in the unit of the volume, under its default display window.

        Parameters
        ----------
        norm
            What is bounded.
        volume
            The series.
        whole
            Whether the classifier reads whole volumes, so that one budget holds for all slices together.
        """
        self.fits(norm)
        count = values(volume, whole=whole)
        if self.measure == "psnr":
            noise = psnr(self.number, volume.window, count)
            return noise if norm == "L2" else Linf(noise.epsilon / math.sqrt(count))
        if self.measure == "jnd" and volume.colour:
            raise ThreatError(
                "Just noticeable differences are defined for grey, and this series is in colour: take grey."
            )
        amount = native(self.number, MEASURES[self.measure], volume.window, self.display)
        if norm == "L2" and self.measure != "native":
            return L2(amount * math.sqrt(count))
        kinds: dict[ball.Norm, type[Linf] | type[L2] | type[L1] | type[L0]] = {
            "Linf": Linf,
            "L2": L2,
            "L1": L1,
            "L0": L0,
        }
        return kinds[norm](amount)


def values(volume: Volume, *, whole: bool = False) -> int:
    """How many values one budget bounds: those of one slice, or of the volume, all channels."""
    return int(volume.voxels.size if whole else volume.voxels[0].size)

"""Distortion: how far a perturbation went, in the numbers that belong beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.measure.similarity import changed_slices, psnr, ssim
from napari_medadv.volume import Volume, several


@dataclass(frozen=True, slots=True)
class Distortion:
    """The size of a difference between two volumes.

    Attributes
    ----------
    unit
        Of `linf` and both L2 norms: the unit of the volume.
    linf
        The largest change of a voxel.
    l2, l2_slice
        The root of the summed squared changes of the whole series, and of the slice where it is largest.
    changed, slices
        How many voxels (pixels, for colour, whichever channel) and slices differ.
    psnr
        Peak signal-to-noise ratio in the display window, in dB, over the changed slices; infinite where nothing shows.
    ssim
        Mean structural similarity in the display window over the changed slices; NaN for tiny slices.
    """

    unit: str
    linf: float
    l2: float
    l2_slice: float
    changed: int
    slices: int
    psnr: float
    ssim: float

    @property
    def sentence(self) -> str:
        """The numbers in a line."""
        slices = f"{self.slices} {'slice' if self.slices == 1 else 'slices'}"
        return (
            f"Linf {self.linf:g} {several(self.unit)}, L2 {self.l2:.4g} {several(self.unit)}, {self.changed} voxels in {slices}, "
            f"PSNR {self.psnr:.1f} dB, SSIM {self.ssim:.4f}"
        )


def distortion(clean: Volume, other: Volume) -> Distortion:
    """How far `other` is from `clean`."""
    difference = signed_difference(clean, other)
    changed = changed_slices(clean, other)
    counted, squares = 0, np.zeros(max(len(changed), 1))
    for place, index in enumerate(changed):
        part = difference.values[index]
        counted += int(np.count_nonzero(part.any(axis=-1) if clean.colour else part))
        squares[place] = np.square(part, dtype=np.float64).sum()
    return Distortion(
        clean.scale.unit,
        difference.largest,
        float(np.sqrt(squares.sum())),
        float(np.sqrt(squares.max())),
        counted,
        len(changed),
        psnr(clean, other),
        ssim(clean, other),
    )

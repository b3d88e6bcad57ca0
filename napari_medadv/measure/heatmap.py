"""Difference: what was added to a volume, voxel by voxel, as a heat map shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_medadv.volume import Floats, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A difference between two volumes of one geometry.

    Attributes
    ----------
    values
        float32, (z, y, x) or (z, y, x, channel), in `unit`.
    unit
        The unit of the volumes, or "% of the window" for a relative difference.
    affine
        float64, (4, 4): that of the volumes.
    """

    values: npt.NDArray[np.float32]
    unit: str
    affine: Floats

    @property
    def largest(self) -> float:
        """The largest magnitude, in `unit`: a colormap from minus this to this is symmetric about zero."""
        return float(np.abs(self.values).max())

    @property
    def per_slice(self) -> Floats:
        """The sum of magnitudes of every slice: float64, (z,)."""
        found: Floats = np.abs(self.values).reshape(len(self.values), -1).sum(axis=1, dtype=np.float64)
        return found

    @property
    def strongest(self) -> int:
        """The slice that changed most, or the middle one where none did."""
        amounts = self.per_slice
        return int(amounts.argmax()) if amounts.any() else len(amounts) // 2


def signed_difference(clean: Volume, other: Volume) -> Difference:
    """`other` less `clean`, in their unit; exact, because it is taken on the stored integers."""
    _same_grid(clean, other)
    steps = other.voxels.astype(np.int64) - clean.voxels
    slope = clean.scale.slope.reshape(-1, *[1] * (steps.ndim - 1))
    return Difference((steps * slope).astype(np.float32), clean.scale.unit, clean.affine)


def absolute_difference(clean: Volume, other: Volume) -> Difference:
    """The magnitude of the difference, in the unit of the volumes."""
    signed = signed_difference(clean, other)
    return Difference(np.abs(signed.values), signed.unit, signed.affine)


def relative_difference(clean: Volume, other: Volume) -> Difference:
    """The signed difference in per cent of the width of the clean volume's display window."""
    signed = signed_difference(clean, other)
    return Difference(signed.values * np.float32(100 / grey_range(clean)), "% of the window", signed.affine)


def grey_range(volume: Volume) -> float:
    """What takes a display from black to white, in the unit of the volume: the window's width, or 255 for colour."""
    if volume.colour:
        return 255.0
    low, high = volume.window.limits
    return max(high - low, float(volume.scale.quantum.min()))


def amplification(volume: Volume, span: float) -> float:
    """How many times stronger a heat map shows a change than the image does.

    Parameters
    ----------
    volume
        What is shown in grey.
    span
        What takes the heat map from one end of its colours to the other, in the unit of the volume.
    """
    return grey_range(volume) / span


def _same_grid(clean: Volume, other: Volume) -> None:
    if clean.voxels.shape != other.voxels.shape or not np.array_equal(clean.scale.slope, other.scale.slope):
        raise ValueError(
            f"volumes of {clean.voxels.shape} and {other.voxels.shape} with their own rescale cannot be subtracted"
        )

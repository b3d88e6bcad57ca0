"""Difference: what was added to a volume, voxel by voxel, as a heat map shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medadv.slicewise import Slicewise, slicewise
from napari_medadv.volume import Array, Floats, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A difference between two volumes of one geometry.

    Attributes
    ----------
    values
        float32, (z, y, x) or (z, y, x, channel), in `unit`; made slice by slice where the volumes are large.
    unit
        The unit of the volumes, or "% of the window" for a relative difference.
    affine
        float64, (4, 4): that of the volumes.
    largest
        The largest magnitude, in `unit`: a colormap from minus this to this is symmetric about zero.
    per_slice
        The sum of magnitudes of every slice: float64, (z,).
    """

    values: npt.NDArray[np.float32] | Slicewise
    unit: str
    affine: Floats
    largest: float = field(init=False)
    per_slice: Floats = field(init=False)

    def __post_init__(self) -> None:
        found = np.array([(float(size.max()), float(size.sum(dtype=np.float64))) for size in map(np.abs, self.values)])
        object.__setattr__(self, "largest", float(found[:, 0].max()))
        object.__setattr__(self, "per_slice", found[:, 1])

    @property
    def strongest(self) -> int:
        """The slice that changed most, or the middle one where none did."""
        amounts = self.per_slice
        return int(amounts.argmax()) if amounts.any() else len(amounts) // 2


def signed_difference(clean: Volume, other: Volume) -> Difference:
    """`other` less `clean`, in their unit; exact, because it is taken on the stored integers."""
    _same_grid(clean, other)

    def read(key: tuple[Any, ...], rows: Array) -> Array:
        before = clean.voxels[key]
        steps = other.voxels[key].astype(np.int64) - before
        slope = clean.scale.take(rows).slope.reshape(-1, *[1] * (steps.ndim - 1))
        found: Array = (steps * slope).astype(np.float32)
        return found

    return Difference(slicewise(clean.voxels, np.float32, read), clean.scale.unit, clean.affine)


def absolute_difference(clean: Volume, other: Volume) -> Difference:
    """The magnitude of the difference, in the unit of the volumes."""
    signed = signed_difference(clean, other)
    return Difference(np.abs(np.asarray(signed.values)), signed.unit, signed.affine)


def relative_difference(clean: Volume, other: Volume) -> Difference:
    """The signed difference in per cent of the width of the clean volume's display window."""
    signed = signed_difference(clean, other)
    return Difference(np.asarray(signed.values) * np.float32(100 / grey_range(clean)), "% of the window", signed.affine)


def grey_range(volume: Volume) -> float:
    """What takes a display from black to white, in the unit of the volume: the window's width, or every level of a colour."""
    if volume.colour:
        return float(volume.scale.highest - volume.scale.lowest)
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

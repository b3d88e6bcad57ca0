"""Similarity of two volumes as a reader sees them: under the clean volume's display window, over the slices that changed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from napari_medadv.volume import Volume

_SSIM_SIDE = 11


def psnr(clean: Volume, other: Volume) -> float:
    """Peak signal-to-noise ratio in dB, where the peak is the width of the display window; infinite for equal pictures."""
    slices = changed_slices(clean, other)
    error = 0.0
    for index in slices:
        error += float(np.square(_grey(clean, index) - _grey(other, index), dtype=np.float64).mean()) / len(slices)
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(clean: Volume, other: Volume) -> float:
    """Structural similarity (Wang et al. 2004: Gaussian weights of 1.5 voxels): the mean over the slices that changed.

    1 for equal volumes; NaN where a slice is smaller than the 11 x 11 voxels that the measure looks at.
    """
    from skimage.metrics import structural_similarity

    measured: Callable[..., float] = structural_similarity
    slices = changed_slices(clean, other)
    if not len(slices):
        return 1.0
    if min(clean.shape[1:]) < _SSIM_SIDE:
        return math.nan
    found = [
        measured(
            _grey(clean, index),
            _grey(other, index),
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=2 if clean.colour else None,
        )
        for index in slices
    ]
    return float(np.mean(found))


def changed_slices(clean: Volume, other: Volume) -> tuple[int, ...]:
    """The slices in which any stored integer differs."""
    pairs = enumerate(zip(clean.voxels, other.voxels, strict=True))
    return tuple(index for index, (before, after) in pairs if not np.array_equal(before, after))


def _grey(volume: Volume, index: int) -> npt.NDArray[np.float32]:
    grey = volume.window.grey(volume.values(slice(index, index + 1))[0])
    return 1 - grey if volume.photometric == "MONOCHROME1" else grey

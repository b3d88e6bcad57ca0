"""Controls: changes that no adversary made. A detector that fires on one of them is a detector of that change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_medadv.detect.benign import resized, through_jpeg, through_jpeg2000
from napari_medadv.errors import DetectorError
from napari_medadv.volume import Array, Volume

_NOISE = 2.0
_QUALITY, _LOW_QUALITY = 90, 60
_DECIBEL, _LOW_DECIBEL = 40.0, 35.0
_BLUR = 1.0


def noise(volume: Volume, seed: int, levels: float = _NOISE) -> Volume:
    """Plus or minus 2 of 255 grey levels of the window at random, as an attack of that size would change voxels."""
    step = max(round(levels * _grey(volume)), 1)
    signs = np.random.default_rng(seed).choice([-step, step], volume.voxels.shape)
    return _kept(volume, volume.voxels + signs)


def jpeg(volume: Volume, seed: int, quality: int = _QUALITY) -> Volume:
    """Through JPEG, in 8 or 12 bits.

    Raises
    ------
    DetectorError
        The stored range is wider than JPEG holds.
    """
    lowest, span = _span(volume)
    if span > 4095:
        raise DetectorError(f"JPEG holds 12 bits, and this series spans {span + 1} grey levels.")
    bits = 8 if span <= 255 else 12
    planes = (volume.voxels - float(lowest)).astype(np.float64)
    return _kept(volume, np.stack([through_jpeg(plane, quality, bits) for plane in planes]) + lowest)


def jpeg2000(volume: Volume, seed: int, decibel: float = _DECIBEL) -> Volume:
    """Through lossy JPEG 2000, at so many dB of the window."""
    lowest, _ = _span(volume)
    level = decibel + 20 * np.log10(65535 / max(255 * _grey(volume), 1.0))

    planes = (volume.voxels - float(lowest)).astype(np.float64)
    return _kept(volume, np.stack([through_jpeg2000(plane, level) for plane in planes]) + lowest)


def resampled(volume: Volume, seed: int) -> Volume:
    """Made 10 % smaller and large again, by cubic splines, as some archives and viewers do."""
    return _kept(volume, np.stack([resized(plane, 0.9) for plane in volume.voxels.astype(np.float64)]))


def blurred(volume: Volume, seed: int) -> Volume:
    """Smoothed by a Gaussian of one pixel."""
    width = (0, _BLUR, _BLUR, 0)[: volume.voxels.ndim]
    return _kept(volume, gaussian_filter(volume.voxels.astype(np.float64), width, mode="nearest"))


def rewindowed(volume: Volume, seed: int) -> Volume:
    """Exported under a window 6 % wider: fewer grey levels, and gaps or steps in the histogram."""
    low, high = volume.window.limits
    middle = _codes(volume, (low + high) / 2)
    return _kept(volume, middle + (volume.voxels - middle) / 1.06)


def scanner(volume: Volume, seed: int) -> Volume:
    """As another detector would show it: a little softer, another tone curve, its own noise."""
    low, high = (_codes(volume, end) for end in volume.window.limits)
    sharp = (0, 0.5, 0.5, 0)[: volume.voxels.ndim]
    soft = gaussian_filter(volume.voxels.astype(np.float64), sharp, mode="nearest")
    share = (soft - low) / (high - low or 1.0)
    toned = np.where((share > 0) & (share < 1), np.clip(share, 0, 1) ** 1.05, share)
    grain = np.random.default_rng(seed).normal(0, 0.75 * _grey(volume), soft.shape)
    return _kept(volume, low + toned * (high - low) + grain)


CONTROLS: dict[str, Callable[[Volume, int], Volume]] = {
    "random noise": noise,
    "random noise 4": lambda volume, seed: noise(volume, seed, 2 * _NOISE),
    "JPEG": jpeg,
    "JPEG 2000": jpeg2000,
    "strong JPEG": lambda volume, seed: jpeg(volume, seed, _LOW_QUALITY),
    "strong JPEG 2000": lambda volume, seed: jpeg2000(volume, seed, _LOW_DECIBEL),
    "resampling": resampled,
    "blur": blurred,
    "re-windowing": rewindowed,
    "another scanner": scanner,
}


def _grey(volume: Volume) -> float:
    """One of 255 grey levels of the window, in stored integers."""
    low, high = volume.window.limits
    return float((high - low) / 255 / volume.scale.quantum.min())


def _codes(volume: Volume, value: float) -> float:
    return float((value - volume.scale.intercept[0]) / volume.scale.slope[0])


def _span(volume: Volume) -> tuple[int, int]:
    lowest = int(volume.voxels.min())
    return lowest, int(volume.voxels.max()) - lowest


def _kept(volume: Volume, changed: Array) -> Volume:
    """Rounded, within what can be stored, padding as it was."""
    whole = np.rint(changed).clip(volume.scale.lowest, volume.scale.highest).astype(volume.voxels.dtype)
    return volume.with_voxels(np.where(volume.padding, volume.voxels, whole))

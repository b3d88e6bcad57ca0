"""Benign: what archives, viewers and other scanners do to an image, so that a detector can learn not to mind."""

from __future__ import annotations

from collections.abc import Iterator

import imagecodecs
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

Plane = npt.NDArray[np.float64]

_JPEG, _DECIBEL, _FACTORS = (50, 70, 80, 88, 95), (33.0, 36.0, 43.0), (0.5, 0.8, 1.25)
_BLURS, _NOISE = (0.4, 0.8, 1.2, 1.6), (1, 2, 4)


def changed(plane: Plane, step: float, rng: np.random.Generator) -> Iterator[Plane]:
    """One slice after each of the benign changes, always the same number of them.

    Parameters
    ----------
    plane
        (y, x), in grey levels of 255 of the display window; values beyond it are allowed.
    step
        Between stored values, in grey levels.
    """
    lowest = float(plane.min())
    codes = np.rint((plane - lowest) / step).clip(0, 65535)
    coarse = max(codes.max() / 4095, 1.0)
    level = 20 * np.log10(65535 / max(255 / step, 1.0))
    sizes = [max(round(levels / step), 1) * step for levels in _NOISE]
    found: list[Plane] = [plane + size * rng.choice([-1.0, 1.0], plane.shape) for size in sizes]
    found += [through_jpeg(np.rint(codes / coarse), quality) * coarse * step + lowest for quality in _JPEG]
    found += [through_jpeg2000(codes, decibel + level) * step + lowest for decibel in _DECIBEL]
    found += [resized(plane, factor) for factor in _FACTORS]
    found += [gaussian_filter(plane, sigma, mode="nearest") for sigma in _BLURS]
    toned = np.where((plane > 0) & (plane < 255), 255 * np.clip(plane / 255, 0, 1) ** 1.1, plane)
    found.append(toned + rng.normal(0, 1, plane.shape))
    found.append(127.5 + (plane - 127.5) / 1.12)
    found.append(plane + 0.3 * (plane - gaussian_filter(plane, 1.0, mode="nearest")))
    for each in found:
        yield within(np.rint(each / step) * step, plane)


def within(values: Plane, plane: Plane) -> Plane:
    """No value beyond those of the plane: black stays black where nothing darker can be stored."""
    return values.clip(plane.min(), plane.max())


def through_jpeg(codes: Plane, quality: int, bits: int = 0) -> Plane:
    """Through lossy JPEG: whole numbers from 0, (y, x) or (y, x, 3), in 8 or 12 bits; in those that hold them where `bits` is 0."""
    bits = bits or (8 if codes.max() <= 255 else 12)
    kind = np.uint8 if bits == 8 else np.uint16
    encoded = imagecodecs.jpeg8_encode(np.ascontiguousarray(codes, kind), level=quality, bitspersample=bits)
    return np.asarray(imagecodecs.jpeg8_decode(encoded), np.float64)


def through_jpeg2000(codes: Plane, level: float) -> Plane:
    """Through lossy JPEG 2000 in 16 bits: whole numbers from 0; the level is a peak signal-to-noise ratio of 65535."""
    whole = np.ascontiguousarray(codes.clip(0, 65535), np.uint16)
    encoded = imagecodecs.jpeg2k_encode(whole, level=level)  # type: ignore[arg-type]  # its stub knows no fraction of a decibel
    return np.asarray(imagecodecs.jpeg2k_decode(encoded), np.float64)


def resized(plane: Plane, factor: float) -> Plane:
    """Made smaller or larger and back, by cubic splines: (y, x) or (y, x, 3)."""
    rows, columns = plane.shape[:2]

    def sized(values: Plane, down: int, across: int) -> Plane:
        factors = (down / values.shape[0], across / values.shape[1], *[1] * (values.ndim - 2))
        return np.asarray(zoom(values, factors, order=3, mode="nearest", grid_mode=True))

    return sized(sized(plane, round(factor * rows), round(factor * columns)), rows, columns)

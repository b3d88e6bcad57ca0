"""The noise of filtered back-projection: ramp-shaped in frequency, softened by the kernel, stronger in the body."""

from __future__ import annotations

import numpy as np

from napari_medadv.phantom.canvas import Canvas, Field


def scanner_noise(canvas: Canvas, strength: Field, rng: np.random.Generator) -> Field:
    """Noise in HU, (z, y, x), whose spread at each voxel is `strength` (broadcastable, HU)."""
    depth, height, width = canvas.shape
    row = np.fft.fftfreq(height, canvas.spacing[1])[:, None]
    column = np.fft.rfftfreq(width, canvas.spacing[2])[None, :]
    radius = np.hypot(row, column)
    # A soft-tissue kernel passes little above 0.35 line pairs per mm.
    spectrum = (radius + 0.004) * np.exp(-((radius / 0.22) ** 2))
    white = rng.standard_normal(canvas.shape).astype(np.float32)
    noise = np.fft.irfft2(np.fft.rfft2(white) * spectrum, s=(height, width)).astype(np.float32)
    noise /= noise.std()
    neighbours = noise.copy()
    if depth > 1:
        neighbours[1:] += 0.25 * noise[:-1]
        neighbours /= np.float32(np.sqrt(1 + 0.25**2))
    return np.asarray(neighbours * strength, np.float32)

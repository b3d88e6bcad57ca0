"""Residual forensics: each answers to the trace that it is named after, and not to an untouched image."""

from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from napari_medadv.detect import Detector
from napari_medadv.detect.block_grid import BlockGrid
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.histogram import Histogram
from napari_medadv.detect.outside import Outside
from napari_medadv.detect.resampling import Resampling
from napari_medadv.detect.spectrum import Spectrum
from napari_medadv.detect.suspect import suspects
from napari_medadv.volume import Array, Scale, Volume
from tests.detect.scenes import classifier

SIZE = 128


def radiograph(seed: int) -> Volume:
    """A smooth body with fine noise before a black border, 8 bits."""
    rng = np.random.default_rng(seed)
    body = 130 + 60 * gaussian_filter(rng.normal(size=(SIZE, SIZE)), 6) * 12 + rng.normal(0, 3, (SIZE, SIZE))
    body[:, :20] = 0
    return Volume(
        np.rint(body).clip(0, 255).astype(np.uint8)[None], np.eye(4), Scale("stored value", 0, 255), modality="CR"
    )


def jpeg(plane: Array) -> Array:
    return np.asarray(imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(plane, level=60)))


def larger(plane: Array) -> Array:
    part = zoom(plane[:100, :100].astype(float), SIZE / 100, order=1, grid_mode=True, mode="nearest")
    return np.asarray(np.rint(part).clip(0, 255), np.uint8)


def stretched(plane: Array) -> Array:
    return np.asarray(np.rint((plane.astype(float) - 120) * 1.3 + 120).clip(0, 255), np.uint8)


def noisy(plane: Array) -> Array:
    noise = np.random.default_rng(9).choice([-4, 4], plane.shape)
    return np.asarray((plane.astype(int) + noise).clip(0, 255), np.uint8)


@pytest.mark.parametrize(
    ("detector", "change"),
    [(BlockGrid(), jpeg), (Resampling(), larger), (Histogram(), stretched), (Outside(), noisy), (Spectrum(), noisy)],
)
def test_a_trace_is_seen(detector: Detector, change: Callable[[Array], Array]) -> None:
    asked = classifier("grey")
    asked = type(asked)(asked.network, asked.findings, "stored value", sha256="5" * 64)
    state = {}
    if isinstance(detector, Spectrum):
        state = detector.fit([s for seed in range(20, 30) for s in suspects(asked, radiograph(seed))])
    clean, changed = [], []
    for seed in range(6):
        one = radiograph(seed)
        clean.append(slice_scores(detector, state, asked, one, None)[0])
        changed.append(slice_scores(detector, state, asked, one.with_voxels(change(one.voxels[0])[None]), None)[0])
    assert min(changed) > max(clean)

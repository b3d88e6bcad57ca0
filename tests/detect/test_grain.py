"""Grain: what it learns, what it tells apart, and the benign changes that it learns not to mind."""

from functools import cache

import numpy as np
import pytest

from napari_medadv.audit.detection.controls import CONTROLS
from napari_medadv.detect.alignment import direction
from napari_medadv.detect.benign import changed
from napari_medadv.detect.detector import State
from napari_medadv.detect.grain import Grain
from napari_medadv.detect.suspect import Suspect, suspects
from napari_medadv.errors import DetectorError
from tests.detect.scenes import classifier, volume

SIZE = 64


def seen(seed: int) -> Suspect:
    (found,) = suspects(classifier("grey"), volume("grey", seed, SIZE))
    return found


@cache
def state() -> State:
    return Grain().fit([seen(seed) for seed in range(30)])


def score(suspect: Suspect, by: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    added = suspect.values.new_tensor(by).view(suspect.values.shape)
    return float(Grain()(suspect.at(suspect.values + added), state())[0])


def test_the_grain_of_the_gradient_is_told_from_random_noise_of_its_size() -> None:
    rng = np.random.default_rng(0)
    scores: dict[str, list[float]] = {"clean": [], "noise": [], "grain": []}
    for seed in range(100, 112):
        suspect = seen(seed)
        size = round(4 * suspect.range / 255)
        signs = direction(suspect, suspect.values, suspect.presence(suspect.values) > 0)[0, 0, 0].numpy()
        elsewhere = np.roll(signs, (11, 7), axis=(0, 1))
        noise = rng.choice([-1.0, 1.0], elsewhere.shape)
        for name, by in (("clean", 0 * noise), ("noise", size * noise), ("grain", size * elsewhere)):
            scores[name].append(score(suspect, by))
    assert min(scores["grain"]) > max(scores["noise"]) and np.median(scores["grain"]) > np.max(scores["clean"])


@pytest.mark.parametrize("control", CONTROLS)
def test_no_benign_change_comes_near_it(control: str) -> None:
    rolled, after = [], []
    for seed in range(100, 112):
        suspect = seen(seed)
        signs = direction(suspect, suspect.values, suspect.presence(suspect.values) > 0)[0, 0, 0].numpy()
        size = round(4 * suspect.range / 255)
        rolled.append(score(suspect, size * np.roll(signs, (11, 7), axis=(0, 1))))
        (found,) = suspects(classifier("grey"), CONTROLS[control](volume("grey", seed, SIZE), seed))
        after.append(score(found, 0 * signs))
    assert np.median(after) < 0.75 * np.median(rolled)


def test_what_is_learnt_holds_spectra_only_and_few_slices_are_asked() -> None:
    found = state()
    assert {name: array.shape for name, array in found.items()} == {"direction": (32, 17), "middle": (32, 17)}
    clean = [seen(seed) for seed in range(8)]
    few, every = Grain(slices=4).fit(clean), Grain(slices=4).fit(clean[::2])
    assert np.allclose(few["middle"], every["middle"])


def test_slices_of_another_size() -> None:
    (small,) = suspects(classifier("grey"), volume("grey", 1, 20))
    assert Grain().fit([small, seen(2)])["direction"].shape == (20, 11)
    with pytest.raises(DetectorError, match="squares of 32 pixels, and these slices are 20 x 20"):
        Grain()(small, state())


@pytest.mark.parametrize(("step", "top"), [(1.0, 255.0), (0.25, 300.0), (0.05, 400.0)])
def test_benign_changes_keep_the_grid_and_the_range(step: float, top: float) -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(40, 32)).cumsum(axis=0).cumsum(axis=1)
    plane = (plane - plane.min()) / np.ptp(plane) * (top + 40) - 40
    plane = np.rint(plane / step) * step
    found = list(changed(plane, step, rng))
    assert len(found) == 21
    for each in found:
        assert each.shape == plane.shape and not np.array_equal(each, plane)
        assert each.min() >= plane.min() and each.max() <= plane.max()
        assert np.allclose(each / step, np.rint(each / step), atol=1e-6)
        assert np.corrcoef(each.ravel(), plane.ravel())[0, 1] > 0.95

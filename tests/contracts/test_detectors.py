"""Every detector of the catalogue: scores of the right shape, finite, repeatable, independent of the batch; maps that fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from napari_medadv.catalogue import entry, names
from napari_medadv.detect.calibrate import joined, slice_scores
from napari_medadv.detect.detector import Detector, Fitted, Locating, Need, State
from napari_medadv.detect.examine import heat
from napari_medadv.detect.suspect import suspects
from napari_medadv.errors import DetectorError
from tests.detect.scenes import SCENES, classifier, volume

HOME = "napari_medadv.detect"


def ready(name: str, scene: str) -> tuple[Detector, State]:
    detector: Detector = entry(name, HOME)()
    if not isinstance(detector, Fitted):
        return detector, {}
    clean = [suspect for seed in range(12) for suspect in suspects(classifier(scene), volume(scene, seed))]
    return detector, detector.fit(clean)


def applies(detector: Detector, scene: str) -> bool:
    return "file" not in detector.needs and not ("slices" in detector.needs and scene not in ("stack", "whole volume"))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", names(HOME))
def test_scores_of_every_shape(name: str, scene: str) -> None:
    detector, state = ready(name, scene)
    asked, suspect = classifier(scene), volume(scene, 99)
    before = suspect.voxels.copy()
    if not applies(detector, scene):
        with pytest.raises(DetectorError):
            slice_scores(detector, state, asked, suspect, None)
        return
    scores = slice_scores(detector, state, asked, suspect, None)
    assert scores.shape == (1 if asked.reads == "volume" else len(suspect.voxels),)
    assert np.isfinite(scores).all()
    assert np.array_equal(scores, slice_scores(detector, state, asked, suspect, None))
    assert np.array_equal(before, suspect.voxels)
    few = slice_scores(detector, state, replace(asked, batch=2), suspect, None)
    assert np.allclose(scores, few, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", names(HOME))
def test_a_heat_map_lies_on_the_volume(name: str, scene: str) -> None:
    detector, state = ready(name, scene)
    suspect = volume(scene, 99)
    found = heat(detector, state, classifier(scene), suspect)
    assert (found is not None) == isinstance(detector, Locating)
    if found is not None:
        assert found.shape == suspect.shape and found.dtype == np.float32
        assert np.isfinite(found).all() and found.min() >= 0 and found.max() > 0


@pytest.mark.parametrize("name", names(HOME))
def test_what_the_catalogue_tells(name: str) -> None:
    kind: Any = entry(name, HOME)
    detector = kind()
    assert set(kind.needs) <= set(get_args(Need)) and kind.needs and kind.weight >= 0
    assert len(kind.evaded_by) > 20 and detector.passes >= 0 and isinstance(detector, Detector)
    assert isinstance(detector, Fitted) == ("clean images" in kind.needs)
    head = (__import__(kind.__module__, fromlist=["_"]).__doc__ or "").splitlines()[0]
    assert "http" in head or name == "header", head


@pytest.mark.parametrize("name", names(HOME))
def test_an_adversary_may_climb_every_fused_detector(name: str) -> None:
    detector, state = ready(name, "grey")
    if detector.weight == 0 or name == "flip":
        pytest.skip("no score that an adaptive attack would climb")
    suspect = joined(list(suspects(classifier("grey"), volume("grey", 99))))
    values = suspect.values.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(detector(suspect.at(values), state).sum(), values)
    assert bool(torch.isfinite(gradient).all()) and bool((gradient != 0).any())


@pytest.mark.parametrize("name", names(HOME))
def test_wrong_settings_are_one_sentence(name: str) -> None:
    kind: Any = entry(name, HOME)
    wrong: dict[str, dict[str, Any]] = {
        "squeeze": {"filters": ("blur",)},
        "noise_margin": {"copies": 1},
        "mirror": {"doubt": -1},
        "grain": {"block": 2},
        "knn": {"k": 0},
        "lid": {"k": 1},
    }
    wrong |= {"spectrum": {"bands": 1}, "outside": {"share": 0.6}}
    wrong |= {"flip": {"steps": 0}, "residual": {"neighbours": 0}}
    if name in wrong:
        with pytest.raises(DetectorError, match=r"\.$"):
            kind(**wrong[name])

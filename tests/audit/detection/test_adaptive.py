"""An adversary who knows a detector beats it where the plain attack does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.audit.detection.adaptive import Adaptive
from napari_medadv.audit.detection.cases import Evading, Scene, foe
from napari_medadv.catalogue import name_of
from napari_medadv.detect import Detector, calibrate
from napari_medadv.detect.alignment import Alignment
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.conformal import Scores, p_value
from napari_medadv.detect.mahalanobis import Mahalanobis
from napari_medadv.detect.mirror import Mirror
from napari_medadv.detect.noise_margin import NoiseMargin
from napari_medadv.detect.squeeze import Squeeze
from napari_medadv.errors import AttackError, DetectorError
from napari_medadv.model import Classifier
from napari_medadv.threat import Confuse, Linf, Threat
from tests.detect.scenes import classifier, volume

CLEAN = [volume("grey", seed, size=40) for seed in range(100, 140)]
SUSPECTS = [volume("grey", seed, size=40) for seed in range(6)]
THREAT = Threat(Confuse(), Linf(60))


def balanced() -> Classifier:
    """The small classifier, with as many clean images on either side of its decision."""
    asked = classifier("grey")
    with torch.no_grad():
        logits = torch.cat([asked.logits(asked.tensor(each), asked.intake(each)) for each in CLEAN])
    middle = logits.median(dim=0).values
    return replace(asked, network=lambda values: 10 * (asked.network(values) - middle))


def scene(*detectors: Detector) -> Scene:
    asked = balanced()
    reference = calibrate(detectors, asked, CLEAN)
    return Scene(asked, {name_of(type(each)): each for each in detectors}, reference)


@pytest.mark.parametrize("detector", [Mahalanobis(depth=1), Alignment(), NoiseMargin(copies=4), Squeeze(), Mirror()])
def test_knowing_the_detector_lowers_its_score(detector: Detector) -> None:
    plain, knowing, _ = attacked(detector)
    assert len(knowing) >= len(plain) > 3
    assert np.mean(knowing) < np.mean(plain)


@pytest.mark.parametrize("detector", [Mahalanobis(depth=1), NoiseMargin(copies=4)])
def test_an_adversary_who_knows_the_detector_beats_it_where_the_plain_attack_does_not(detector: Detector) -> None:
    plain, knowing, clean = attacked(detector)
    caught = [sum(p_value(score, clean) <= 0.05 for score in scores) / len(scores) for scores in (plain, knowing)]
    assert caught[0] >= 0.8 and caught[1] == 0


def test_an_attack_does_not_stand_in_the_mirror_and_noise_of_its_size_does() -> None:
    plain, _, clean = attacked(Mirror())
    seen, rng = scene(Mirror()), np.random.default_rng(0)
    noisy = [
        each.with_voxels(each.voxels + rng.choice([-60, 60], each.voxels.shape).astype(np.int16)) for each in SUSPECTS
    ]
    scores = [float(slice_scores(Mirror(), {}, seen.classifier, each, None).max()) for each in noisy]
    assert min(plain) > clean.max() and np.median(scores) < clean.max()


def attacked(detector: Detector) -> tuple[list[float], list[float], Scores]:
    """Scores of the successful plain and adaptive attacks, and of clean images."""
    seen = scene(detector)
    name = name_of(type(detector))
    learnt = seen.reference.learnt[name]
    attacks: tuple[Attack, Attack] = (PGD(confidence=float("inf")), Adaptive([foe(detector, seen.reference)], 40))
    scores: tuple[list[float], list[float]] = ([], [])
    for index, clean in enumerate(SUSPECTS):
        for kept, attack in zip(scores, attacks, strict=True):
            found = perturb(seen.classifier, clean, THREAT, attack, seed=index)
            score = slice_scores(detector, learnt.state, seen.classifier, found.adversarial, None).max()
            kept += [float(score)] if found.reached else []
    return *scores, learnt.scores


def test_the_fusion_is_climbed_too_and_the_budget_holds() -> None:
    seen = scene(Mahalanobis(depth=1), Alignment())
    found = Evading("adaptive", 4.0)(SUSPECTS[0], seen, 3)
    again = Evading("adaptive", 4.0)(SUSPECTS[0], seen, 3)
    low, high = SUSPECTS[0].window.limits
    change = np.abs(found.volume.voxels.astype(int) - SUSPECTS[0].voxels).max()
    assert 0 < change <= 4 * (high - low) / 255 and np.array_equal(found.volume.voxels, again.volume.voxels)


def test_what_cannot_be_climbed_is_refused() -> None:
    with pytest.raises(AttackError):
        Adaptive([])
    with pytest.raises(DetectorError, match="knn"):
        Evading("adaptive", 4.0, ("knn",))(SUSPECTS[0], scene(Alignment()), 0)

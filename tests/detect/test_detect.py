import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.detect import Detector, Reference, calibrate, examine, read_reference, write_reference
from napari_medadv.detect.alignment import Alignment
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.conformal import Rate, enough, fused_p_value, p_value, threshold_interval
from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.flip import Flip
from napari_medadv.detect.mahalanobis import Mahalanobis, shrunken
from napari_medadv.detect.mirror import Mirror
from napari_medadv.detect.noise_margin import NoiseMargin
from napari_medadv.detect.residual import Residual
from napari_medadv.detect.squeeze import Squeeze
from napari_medadv.detect.suspect import Suspect, suspects
from napari_medadv.errors import DetectorError
from napari_medadv.threat import Confuse, Linf, Threat
from tests.detect.scenes import classifier, volume

DETECTORS: tuple[Detector, ...] = (Squeeze(), Alignment(), NoiseMargin(copies=4), Mahalanobis(depth=1))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return calibrate(DETECTORS, classifier("grey"), [volume("grey", seed) for seed in range(40)])


def test_p_values_are_ranks_and_ties_count_against_suspicion() -> None:
    clean = np.array([1.0, 2.0, 3.0])
    assert [p_value(score, clean) for score in (0, 1, 2.5, 3, 4)] == [1, 1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 0.2, 0.2)])
def test_the_common_p_value_is_exact_whatever_the_dependence(weights: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(3000):
        shared = rng.normal(size=(40, 1))
        scores = shared + 0.3 * rng.normal(size=(40, 3))
        alarms += fused_p_value(scores[0], scores[1:], np.array(weights)) <= 0.05
    low, high = Rate(alarms, 3000).interval
    assert low <= 0.05 <= high


def test_the_common_p_value_sees_what_one_alone_does_not() -> None:
    rng = np.random.default_rng(1)
    clean = rng.normal(size=(99, 4))
    assert fused_p_value(np.full(4, 1.6), clean, np.ones(4)) <= 0.04 < p_value(1.6, clean[:, 0])


def test_a_detector_that_is_sure_is_not_diluted_by_those_that_see_nothing() -> None:
    rng = np.random.default_rng(1)
    clean = rng.normal(size=(99, 12))
    alone = np.full(12, -0.5)
    alone[3] = 4.5
    assert fused_p_value(alone, clean, np.ones(12)) == 0.01


def test_a_detector_of_little_weight_counts_less_unless_it_is_sure() -> None:
    rng = np.random.default_rng(1)
    clean, weights = rng.normal(size=(199, 2)), np.array([1.0, 0.05])
    heavy, light = (fused_p_value(np.array(scores), clean, weights) for scores in ((1.9, 0.0), (0.0, 1.9)))
    assert heavy < 0.06 < light
    assert fused_p_value(np.array([0.0, 8.0]), clean, weights) == 1 / 200


@pytest.mark.parametrize(
    ("count", "level", "fine"), [(99, 0.01, True), (98, 0.01, False), (19, 0.05, True), (18, 0.05, False)]
)
def test_a_rate_that_so_few_images_cannot_show_is_refused(count: int, level: float, fine: bool) -> None:
    if fine:
        enough(count, level)
    else:
        with pytest.raises(DetectorError, match="clean images"):
            enough(count, level)


def test_intervals_hold_the_share() -> None:
    assert Rate(0, 20).interval == pytest.approx((0.0, 0.1684), abs=1e-4)
    assert Rate(5, 100).interval == pytest.approx((0.0164, 0.1128), abs=1e-4)
    low, high = threshold_interval(60, 0.05)
    assert low < 0.05 < high


def test_shrinkage_makes_few_images_invertible() -> None:
    few = np.random.default_rng(2).normal(size=(10, 50))
    assert np.linalg.eigvalsh(shrunken(few - few.mean(axis=0))).min() > 0


def test_alignment_tells_an_attack_from_noise_of_its_size() -> None:
    asked, detector = classifier("grey"), Alignment()
    state = detector.fit([suspect for seed in range(40, 60) for suspect in suspects(asked, volume("grey", seed))])
    scores: dict[str, list[float]] = {"clean": [], "noise": [], "attack": []}
    for seed in range(20):
        clean = volume("grey", seed)
        noise = np.random.default_rng(seed).choice([-8, 8], clean.voxels.shape).astype(np.int16)
        attacked = perturb(asked, clean, Threat(Confuse(), Linf(8)), FGSM()).adversarial
        for name, one in (("clean", clean), ("noise", clean.with_voxels(clean.voxels + noise)), ("attack", attacked)):
            scores[name].append(float(slice_scores(detector, state, asked, one, None)[0]))
    middle = {name: float(np.median(found)) for name, found in scores.items()}
    assert abs(middle["noise"] - middle["clean"]) < (middle["attack"] - middle["clean"]) / 2


def test_agreement_is_suspicious_on_both_sides_of_clean_images_by_their_spread() -> None:
    (suspect,) = suspects(classifier("grey"), volume("grey", 3))
    found = float(Alignment().agreement(suspect)[0])
    sides = np.array([2.0, 4.0], np.float32)
    for middle, score in ((found + 6, 3.0), (found - 6, 1.5), (found, 0.0)):
        state = {"middle": np.array([middle], np.float32), "sides": sides}
        assert float(Alignment()(suspect, state)[0]) == pytest.approx(score, abs=1e-3)


def test_what_the_mirror_shows_alike_is_not_suspicious_to_the_mirror_unless_it_is_in_doubt() -> None:
    asked, clean = classifier("grey"), volume("grey", 3)
    half = clean.voxels[..., :10]
    same = clean.with_voxels(np.concatenate([half, half[..., ::-1]], axis=-1))
    (suspect,) = suspects(asked, same)
    sure = float(suspect.confidence(suspect.values, suspect.presence(suspect.values) > 0)[0])
    assert float(slice_scores(Mirror(doubt=0), {}, asked, same, None)[0]) == pytest.approx(0, abs=1e-4)
    assert float(slice_scores(Mirror(), {}, asked, same, None)[0]) == pytest.approx(-Mirror().doubt * sure, abs=1e-4)


def test_the_flip_margin_of_a_decision_is_found() -> None:
    asked = classifier("grey")
    (suspect,) = suspects(asked, volume("grey", 3))
    needed = float(Flip(steps=30).needed(suspect)[0])
    assert 0 < needed < suspect.range
    handed = Flip(search=lambda each: each.quantum.flatten())
    assert float(handed.needed(suspect)[0]) == 1.0


def test_one_noisy_slice_among_its_neighbours_ranks_first() -> None:
    clean = volume("stack", 5, size=48)
    voxels = clean.voxels.copy()
    voxels[6] += np.random.default_rng(0).choice([-12, 12], voxels[6].shape).astype(np.int16)
    scores = slice_scores(Residual(), {}, classifier("stack"), clean.with_voxels(voxels), None)
    assert scores.argmax() == 6


def test_images_that_are_learnt_from_are_not_scored(reference: Reference) -> None:
    assert reference.fitted == 16 and reference.count == 24


def test_the_verdict_is_never_that_a_series_is_clean(reference: Reference) -> None:
    found = examine(DETECTORS, classifier("grey"), volume("grey", 77), reference)
    assert 0 < found.p <= 1 and found.p >= 1 / 25
    assert "would pass unseen" in found.sentence or "Suspicious" in found.sentence
    assert len(found.unseen) == 1 + sum(each.fused for each in found.evidence)
    assert all(
        spot.startswith(f"by {each.detector}, ")
        for spot, each in zip(found.unseen, found.evidence, strict=False)
        if each.fused
    )
    assert found.interval[0] < 0.05 < found.interval[1]
    assert all(0 < each.p <= 1 and each.count == 24 for each in found.evidence)
    with pytest.raises(DetectorError, match="at least 99"):
        examine(DETECTORS, classifier("grey"), volume("grey", 77), reference, level=0.01)


def test_a_false_reference_is_refused(reference: Reference) -> None:
    suspect, asked = volume("grey", 77), classifier("grey")
    other = replace(asked, sha256="6" * 64)
    wrong = [
        (DETECTORS, other, suspect, "another model"),
        (DETECTORS, asked, replace(suspect, modality="MR"), "series of this kind"),
        ((Squeeze(bits=3),), asked, suspect, "use these settings"),
        ((Flip(),), asked, suspect, "knows no detector"),
    ]
    for detectors, network, series, why in wrong:
        with pytest.raises(DetectorError, match=why):
            examine(detectors, network, series, reference)


def test_a_reference_is_written_and_read(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    write_reference(reference, path)
    again = read_reference(path)
    suspect, asked = volume("grey", 78), classifier("grey")
    assert examine(DETECTORS, asked, suspect, again).p == examine(DETECTORS, asked, suspect, reference).p
    whole = path.read_text()
    outer = json.loads(whole)
    outer["content"] = outer["content"].replace('"fitted": 16', '"fitted": 17')
    for broken in (whole[:-40], "{}", "x", json.dumps(outer)):
        path.write_text(broken)
        with pytest.raises(DetectorError):
            read_reference(path)


def test_a_reference_of_another_version_is_refused_as_such(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    write_reference(reference, path)
    outer = json.loads(path.read_text())
    content = outer["content"].replace('"medadv reference": 4', '"medadv reference": 2')
    assert content != outer["content"]
    path.write_text(json.dumps({"sha256": sha256(content.encode()).hexdigest(), "content": content}))
    with pytest.raises(DetectorError, match="another version"):
        read_reference(path)


def test_a_detector_that_cannot_run_is_named_and_the_others_decide(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Mahalanobis, suspect: object, state: object) -> None:
        raise DetectorError("The layers cannot be seen.")

    suspect, asked = volume("grey", 77), classifier("grey")
    rest = tuple(each for each in DETECTORS if not isinstance(each, Mahalanobis))
    alone = examine(rest, asked, suspect, reference)
    monkeypatch.setattr(Mahalanobis, "__call__", broken)
    found = examine(DETECTORS, asked, suspect, reference)
    assert found.p == alone.p and found.missing == ("mahalanobis",) and not alone.missing
    assert (
        "mahalanobis could not be run" in found.sentence and "mahalanobis was not run: The layers" in found.left_out[0]
    )
    with pytest.raises(DetectorError, match="mahalanobis was not run"):
        examine([Mahalanobis(depth=1)], asked, suspect, reference)


def test_calibration_refuses_what_it_cannot_use() -> None:
    asked = classifier("grey")
    clean = [volume("grey", seed) for seed in range(6)]
    cases = [
        (DETECTORS, asked, clean[:3], "at least 5"),
        (DETECTORS, asked, [*clean, clean[0]], "copies"),
        (DETECTORS, replace(asked, sha256=""), clean, "digest"),
        (DETECTORS, asked, [*clean, replace(clean[0], modality="MR")], "several modalities"),
        (DETECTORS, replace(asked, white_box=False), clean, "gradients"),
        ((Squeeze(), Squeeze(bits=3)), asked, clean, "each once"),
    ]
    for detectors, network, volumes, why in cases:
        with pytest.raises(DetectorError, match=why):
            calibrate(detectors, network, volumes)


def test_floating_point_pixels_are_refused() -> None:
    grey = volume("grey", 0)
    with pytest.raises(DetectorError, match="floating point"):
        next(suspects(classifier("grey"), replace(grey, voxels=np.asarray(grey.voxels, np.float32))))


@dataclass(frozen=True)
class Own:
    """A detector of somebody's own that gives back whatever it is told to."""

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "everything"
    passes: int = 1
    gives: Any = None
    learns: Any = field(default_factory=dict)

    def fit(self, clean: Sequence[Suspect]) -> State:
        found: State = self.learns(clean) if callable(self.learns) else self.learns
        return found

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        found: Tensor = self.gives(suspect)
        return found


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        (lambda suspect: suspect.values.std(), r"the shape \(\), and"),
        (lambda suspect: suspect.values.flatten(2).std(dim=2), r"the shape \(\d+, 1\), and"),
        (lambda suspect: suspect.values.flatten(1).std(dim=1).numpy(), "gives back ndarray"),
        (lambda suspect: None, "gives back NoneType"),
        (lambda suspect: suspect.pixels, "Own failed .*no attribute 'pixels'"),
        (lambda suspect: Path("gone").read_bytes(), "Own failed .FileNotFoundError"),
        (lambda: 0, "Own failed .TypeError.*1 was given"),
    ],
)
def test_what_a_detector_of_ones_own_may_do_wrong(gives: Any, words: str) -> None:
    with pytest.raises(DetectorError, match=words):
        slice_scores(Own(gives=gives), {}, classifier("grey"), volume("grey", 1), None)


@pytest.mark.parametrize("learns", [None, {"mean": 3.0}, lambda clean: clean.mean])
def test_what_it_may_do_wrong_when_it_learns(learns: Any) -> None:
    clean = [volume("grey", seed) for seed in range(5)]
    with pytest.raises(DetectorError, match=r"fit of Own gives|Own failed"):
        calibrate(
            [Own(gives=lambda suspect: suspect.values.flatten(1).std(dim=1), learns=learns)], classifier("grey"), clean
        )

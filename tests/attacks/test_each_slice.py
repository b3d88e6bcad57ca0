"""A series of several slices: what the goal wishes of the series is asked of the slices that can give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import Perturbation, perturb
from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.auto_attack import AutoAttack
from napari_medadv.attacks.curve import robustness
from napari_medadv.attacks.low_frequency import LowFrequency
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.repeated import Repeated
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.square import Square
from napari_medadv.attacks.survival import survival
from napari_medadv.attacks.universal import Universal
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L2, Budget, Conceal, Confuse, Fabricate, Goal, Linf, Reach, Threat
from napari_medadv.threat.finer import Swap
from napari_medadv.volume import Scale, Volume

PGD20 = PGD(steps=20, arithmetic="float32")


def series(*slices: float | tuple[float, float], slope: float = 1.0) -> Volume:
    """A slice of 8 x 8 for each value, or for each pair of values of its left and right half, in HU."""
    made = np.zeros((len(slices), 8, 8))
    for plane, value in zip(made, slices, strict=True):
        plane[:, :4], plane[:, 4:] = value if isinstance(value, tuple) else (value, value)
    return Volume((made / slope).astype(np.int16), np.eye(4), Scale("HU", -2048, 2047, np.array([slope]), np.zeros(1)))


def bright(values: Tensor) -> Tensor:
    return (values.flatten(1).mean(1, keepdim=True) - 100) / 5


def dark_or_bright(values: Tensor) -> Tensor:
    mean = values.flatten(1).mean(1)
    return torch.stack([(mean - 100) / 5, (-mean - 100) / 5], 1)


def halves(values: Tensor) -> Tensor:
    plane = values.flatten(0, -3) if values.ndim == 4 else values
    return torch.stack([(plane[..., :4].mean((-1, -2)) - 100) / 5, (plane[..., 4:].mean((-1, -2)) - 100) / 5], 1)


def classifier(network: Any, *labels: str, **more: Any) -> Classifier:
    return Classifier(network, Findings(labels, "sigmoid"), "HU", **more)


def run(victim: Classifier, volume: Volume, goal: Goal, budget: Budget, attack: Any = PGD20) -> Perturbation:
    found = perturb(victim, volume, Threat(goal, budget), attack)
    if isinstance(budget, Linf):
        assert np.abs(found.adversarial.values() - volume.values()).max() <= budget.epsilon
    return found


@pytest.mark.parametrize("attack", [PGD20, APGD(steps=20, arithmetic="float32"), Square(queries=200)])
def test_a_negative_rescale_slope_is_no_defence(attack: Any) -> None:
    one, other = (
        run(classifier(bright, "a"), series(103, slope=slope), Conceal("a"), Linf(8), attack) for slope in (1, -1)
    )
    assert one.reached and other.reached
    assert np.array_equal(one.adversarial.values(), other.adversarial.values())


@pytest.mark.parametrize("goal", [Fabricate("a"), Confuse(), Reach("a", 0.5)])
@pytest.mark.parametrize("slices", [(102, 94, 94), (102, 90, 90), (99, 99, 90)])
def test_where_the_mean_decides_every_slice_goes_on(goal: Goal, slices: tuple[float, ...]) -> None:
    found = run(classifier(bright, "a", pooling="mean"), series(*slices), goal, Linf(8))
    assert found.reached and found.attack == PGD20


def test_the_ensemble_too_goes_on_where_the_mean_decides() -> None:
    attack = AutoAttack(steps=10, queries=50, arithmetic="float32")
    found = run(classifier(bright, "a", pooling="mean"), series(102, 94, 94), Fabricate("a"), Linf(8), attack)
    assert found.reached and found.attack == attack and not any("mean" in fact for fact in found.facts)


def test_a_minimum_norm_attack_stays_one_where_the_mean_decides() -> None:
    from napari_medadv.attacks.cw import CW

    volume = series(97, 97)
    volume = volume.with_voxels(volume.voxels + np.random.default_rng(0).integers(-9, 10, (2, 8, 8)).astype(np.int16))
    weights = torch.rand(64, generator=torch.Generator().manual_seed(0))

    def uneven(values: Tensor) -> Tensor:
        return ((values.flatten(1) @ weights / weights.sum())[:, None] - 100) / 5

    found = run(classifier(uneven, "a", pooling="mean"), volume, Fabricate("a"), L2(200), CW())
    sizes = np.sqrt(np.square(found.adversarial.values() - volume.values()).sum((1, 2)))
    assert found.reached and (sizes < 60).all(), "and not the whole budget"


@pytest.mark.parametrize("attack", [PGD20, APGD(steps=20, arithmetic="float32")])
def test_a_series_of_two_findings_is_confused_by_losing_one(attack: Any) -> None:
    victim = classifier(dark_or_bright, "A", "B")
    assert run(victim, series(103, -103), Confuse(), Linf(8), attack).after.present != ("A", "B")
    one = run(victim, series(140, -103), Confuse(), Linf(8), attack)
    assert one.reached and one.after.present == ("A",), "the one that can be lost"
    assert not run(victim, series(140, -140), Confuse(), Linf(8), attack).reached


def test_a_swap_may_show_in_one_slice_and_conceal_in_another() -> None:
    victim, volume = classifier(halves, "A", "B"), series((50, 97), (103, 20))
    for budget in (Linf(8), L2(40)):
        found = run(victim, volume, Swap("A", "B"), budget)
        assert found.reached and found.after.present == ("B",)
        assert found.threat.goal == Swap("A", "B")


def test_the_curve_takes_the_slices_that_reach_the_goal() -> None:
    """Slice 1 needs 6 HU and slice 2 21, or can never: the series needs what slice 1 does, whichever goal asks for it."""
    grid = [1, 2, 4, 8, 16, 32]
    for slices in ((95.0, 80.0), (95.0, 20.0)):
        found = {
            goal: robustness(
                classifier(bright, "a"), [series(*slices)], goal, "Linf", grid, arithmetic="float32"
            ).smallest
            for goal in (Fabricate("a"), Reach("a", 0.5), Confuse())
        }
        assert len(set(found.values())) == 1 and 5 < found[Confuse()][0] <= 7


def test_a_slice_that_failed_is_not_the_size_of_the_success() -> None:
    def saturating(values: Tensor) -> Tensor:
        mean = values.flatten(1).mean(1, keepdim=True)
        return torch.where(mean < 50, (mean - 20).clamp(-2, 2) - 10, (mean - 100) / 5)

    grid = [8, 16, 32, 64, 128]
    victim, volume = classifier(saturating, "a"), series(95, 20)
    (smallest,) = robustness(victim, [volume], Fabricate("a"), "L2", grid, arithmetic="float32").smallest
    assert run(victim, volume, Fabricate("a"), L2(smallest)).reached
    assert not run(victim, volume, Fabricate("a"), L2(0.8 * smallest)).reached


@pytest.mark.parametrize("attack", [PGD20, APGD(steps=20, arithmetic="float32"), Square(queries=400)])
def test_exclusive_labels_of_different_slices_are_not_held_against_each_other(attack: Any) -> None:
    def exclusive(values: Tensor) -> Tensor:
        mean = values.flatten(1).mean(1)
        return torch.stack([torch.zeros_like(mean), (mean - 100) / 5], 1)

    victim = Classifier(exclusive, Findings(("no nodule", "nodule"), "softmax"), "HU")
    sick, well = series(60, 104, 60), series(60, 96, 60)
    assert victim.predict(sick).present == ("no nodule", "nodule"), "one slice shows it, though others are surer"
    assert victim.predict(well).present == ("no nodule",)
    for goal in (Conceal("nodule"), Confuse()):
        found = run(victim, sick, goal, Linf(8), attack)
        assert found.reached and found.after.present == ("no nodule",) and found.slices == (0, 1, 2)
    found = run(victim, well, Fabricate("nodule"), Linf(8), attack)
    assert found.reached and "nodule" in found.after.present
    by_mean = Classifier(exclusive, Findings(("no nodule", "nodule"), "softmax"), "HU", pooling="mean")
    assert by_mean.predict(sick).present == ("no nodule",)


def test_the_curve_where_the_mean_decides_is_that_of_the_series() -> None:
    victim, volume = classifier(bright, "a", pooling="mean"), series(99, 99, 40)
    grid = [4, 8, 16, 32, 64]
    (smallest,) = robustness(victim, [volume], Fabricate("a"), "Linf", grid, arithmetic="float32").smallest
    assert 6 < smallest <= 8, "two slices at three quarters reach it, 7 HU each, and the darkest alone needs 61"


def test_the_curve_of_a_swap_may_conceal_in_one_slice_and_show_in_another() -> None:
    victim, volume = classifier(halves, "A", "B"), series((109, 95), (109, 30))
    (smallest,) = robustness(victim, [volume], Swap("A", "B"), "Linf", [4, 8, 16, 32], arithmetic="float32").smallest
    assert 9 <= smallest <= 16


def test_an_attack_that_drives_each_slice_to_its_own_decision_says_so_where_the_mean_decides() -> None:
    from napari_medadv.attacks.fmn import FMN

    victim, volume = classifier(bright, "a", pooling="mean"), series(99, 99, 40)
    assert run(victim, volume, Fabricate("a"), Linf(24)).reached
    found = run(victim, volume, Fabricate("a"), Linf(24), FMN())
    assert any("PGD or APGD may reach the goal with less" in fact for fact in found.facts)
    alone = run(classifier(bright, "a"), volume, Fabricate("a"), Linf(24), FMN())
    assert not any("mean of all slices" in fact for fact in alone.facts)


def test_a_universal_perturbation_lies_on_every_slice(tmp_path: Path) -> None:
    kept = tmp_path / "change.npz"
    victim, volume = classifier(bright, "a"), series(103, 90, 80)
    found = run(victim, volume, Conceal("a"), Linf(8), Universal(keep=str(kept)))
    again = run(victim, volume, Conceal("a"), Linf(8), Repeated(str(kept)))
    for each in (found, again):
        change = each.adversarial.values() - volume.values()
        assert each.reached and change.any() and (change == change[0]).all()


def test_a_smooth_attack_uses_its_budget() -> None:
    found = run(classifier(bright, "a"), series(90), Fabricate("a"), Linf(16), LowFrequency())
    assert found.reached and np.abs(found.adversarial.values() - 90).max() > 10


def test_a_series_that_was_not_confused_is_not_fooled_in_every_slice() -> None:
    victim, volume = classifier(dark_or_bright, "A", "B"), series(140, -140, 0, 0)
    found = run(victim, volume, Confuse(), Linf(8))
    again = survival(victim, found, Retake(0, 0, 0, 0, 0), times=2)
    assert not found.reached and again.reached == 0 and again.share == 0

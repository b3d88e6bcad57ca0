"""The robustness curve against the closed form of a linear classifier; the ensemble and the signs of masking."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks.auto_attack import AutoAttack
from napari_medadv.attacks.curve import Curve, robustness
from napari_medadv.attacks.foreign import Foreign
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import plain_curve
from napari_medadv.errors import AttackError, ThreatError
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L2, Budget, Conceal, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume

WEIGHT = torch.randn(36, generator=torch.Generator().manual_seed(0))


def network(values: Tensor) -> Tensor:
    flat = values.flatten(1) @ WEIGHT
    return torch.stack([flat, -flat], dim=1)


def test_the_curve_is_the_closed_form_of_a_linear_classifier() -> None:
    inputs = torch.rand((40, 1, 6, 6), generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4
    logits = network(inputs)
    labels = logits.argmax(dim=1)
    labels[:4] = 1 - labels[:4]
    true = (logits[:, 0].abs() / WEIGHT.abs().sum()).numpy()
    true[:4] = 0
    grid = [0.005 * step for step in range(1, 11)]
    found = plain_curve(network, inputs, labels, Linf(1), grid)
    sizes = np.array(found.smallest)
    assert (sizes >= true * 0.999).all() and (sizes[:4] == 0).all()
    for epsilon in grid:
        share, low, high = found.robust(epsilon)
        assert low <= share <= high
        assert abs(share - (true > epsilon).mean()) <= 0.03


@pytest.mark.parametrize(("budget", "dual"), [(L2(1), 2), (Linf(1), 1)])
@pytest.mark.parametrize("grid", [[0.001], [0.01, 0.02, 0.04, 0.08, 0.16], [4.0]])
def test_a_size_between_the_steps_of_the_grid_is_no_longer_than_it_must_be(
    budget: Budget, dual: int, grid: list[float]
) -> None:
    inputs = torch.rand((40, 1, 6, 6), generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4
    logits = network(inputs)
    true = (logits[:, 0].abs() / WEIGHT.norm(dual)).numpy()
    sizes = np.array(plain_curve(network, inputs, logits.argmax(dim=1), budget, grid).smallest)
    assert (sizes >= true * 0.999).all() and (sizes <= true * 1.08 + 1e-4).all()


def test_the_interval_is_wilsons() -> None:
    share, low, high = Curve((1.0,) * 8 + (0.0,) * 2).robust(0.5)
    assert share == 0.8 and low == pytest.approx(0.4902, abs=1e-3) and high == pytest.approx(0.9433, abs=1e-3)
    assert Curve((1.0, math.inf, 3.0)).median == 3.0


def case(masked: bool = False) -> tuple[Classifier, Volume]:
    volume = Volume(np.full((2, 6, 6), 100, np.uint8), np.eye(4), Scale("level", 0, 255))
    weight = torch.full((36,), 0.02)

    def answer(values: Tensor) -> Tensor:
        if masked:
            values = values + (torch.round(values / 4) * 4 - values).detach() - (values - values.detach())
        return (values.flatten(1) @ weight)[:, None] - 71.2

    return Classifier(answer, Findings(("a",), "sigmoid"), "level"), volume


def test_the_curve_of_volumes_is_in_whole_levels_as_stored() -> None:
    classifier, volume = case()
    reached = volume.with_voxels(np.full((2, 6, 6), 50, np.uint8))
    found = robustness(classifier, [volume, reached], Conceal("a"), "Linf", [1, 2, 3, 4])
    assert found.smallest == (2.0, 0.0)


def test_an_image_that_falls_beyond_the_grid_is_not_robust_there() -> None:
    classifier, volume = case()
    found = robustness(classifier, [volume], Conceal("a"), "Linf", [1], arithmetic="float32")
    assert found.smallest == (2.0,) and found.robust(1)[0] == 1 and found.robust(2)[0] == 0


def test_a_curve_of_nothing_is_refused() -> None:
    classifier, volume = case()
    for epsilons in ([], [0, 1], [-1], [math.inf]):
        with pytest.raises(ThreatError, match="above zero"):
            robustness(classifier, [volume], Conceal("a"), "Linf", epsilons)
    with pytest.raises(ThreatError, match="Linf, L2"):
        robustness(classifier, [volume], Conceal("a"), "linf", [1])  # type: ignore[arg-type]
    empty = robustness(classifier, [], Conceal("a"), "Linf", [1])
    for ask in (lambda: empty.robust(1), lambda: empty.median):
        with pytest.raises(ThreatError, match="no images"):
            ask()


def test_a_part_of_the_image_need_not_be_enough_however_large_the_budget() -> None:
    classifier, volume = case()
    mask = np.zeros((2, 6, 6), bool)
    mask[:, 0, 0] = True
    threat = Threat(Conceal("a"), Linf(8), Region(mask))
    found = perturb(classifier, volume.with_voxels(volume.voxels + 40), threat, AutoAttack(5, queries=50, checks="all"))
    assert not found.reached and found.facts == ()


def test_the_ensemble_tells_that_gradients_mislead() -> None:
    classifier, volume = case(masked=True)
    threat = Threat(Conceal("a"), Linf(8))
    found = perturb(classifier, volume, threat, AutoAttack(steps=5, queries=200))
    assert any("gradient is zero" in fact for fact in found.facts)
    assert found.reached
    sound, volume = case()
    assert perturb(sound, volume, threat, AutoAttack(steps=5, queries=50, checks="all")).facts == ()
    noise = torch.Generator().manual_seed(0)
    shaky = dataclasses.replace(
        sound, network=lambda values: sound.network(values) + 0.01 * torch.randn((len(values), 1), generator=noise)
    )
    facts = perturb(shaky, volume, Threat(Conceal("a"), Linf(1)), AutoAttack(steps=5, queries=50, checks="all")).facts
    assert any("differently when asked again" in fact for fact in facts)


def test_a_peers_attack_is_projected_stored_and_judged() -> None:
    pytest.importorskip("torchattacks")
    classifier, volume = case()
    found = perturb(classifier, volume, Threat(Conceal("a"), Linf(4)), Foreign("torchattacks", "PGD", ("steps=5",)))
    assert found.reached and found.gradients == 10 and found.queries == 14
    with pytest.raises(AttackError, match="documentation"):
        perturb(classifier, volume, Threat(Conceal("a"), Linf(4)), Foreign("torchattacks", "PGD", ("pace=5",)))


def test_gradients_in_half_the_width_leave_decisions_in_float32() -> None:
    classifier, volume = case()
    seen: list[torch.dtype] = []

    def answer(values: Tensor) -> Tensor:
        found = torch.nn.functional.linear(values.flatten(1), torch.full((1, 36), 0.02), torch.tensor([-71.2]))
        seen.append(found.dtype)
        return found

    swift = dataclasses.replace(classifier, network=answer)
    threat = Threat(Conceal("a"), Linf(8))
    found = perturb(swift, volume, threat, PGD(arithmetic="bfloat16"))
    assert found.reached and found.after["a"] < 0.5
    assert torch.bfloat16 in seen and seen[-1] == torch.float32


def test_the_result_says_which_arithmetic_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, volume = case()
    threat = Threat(Conceal("a"), Linf(8))
    for wanted in ("float32", "bfloat16"):
        monkeypatch.setattr("napari_medadv.attacks.task.swiftest", lambda *_, wanted=wanted: wanted)
        found = perturb(classifier, volume, threat, PGD())
        assert isinstance(found.attack, PGD) and found.attack.arithmetic == wanted
        assert found.reached and found.after["a"] < 0.5
    said = perturb(classifier, volume, threat, PGD(arithmetic="float32")).attack
    assert isinstance(said, PGD) and said.arithmetic == "float32"


def test_no_decision_rests_on_a_margin_in_bfloat16() -> None:
    classifier, volume = case()

    def swayed(values: Tensor) -> Tensor:
        """In bfloat16 it always says that the finding is gone; in float32 never."""
        height = values.flatten(1).sum(1, keepdim=True) * 1e-6
        return height - 3 if torch.is_autocast_enabled("cpu") else height + 3

    sly = dataclasses.replace(classifier, network=swayed)
    found = perturb(sly, volume, Threat(Conceal("a"), Linf(8)), PGD(4, arithmetic="bfloat16"))
    assert not found.reached and found.gradients == 8
    driven = perturb(sly, volume, Threat(Conceal("a"), Linf(8)), PGD(4, arithmetic="bfloat16", confidence=math.inf))
    assert not driven.reached

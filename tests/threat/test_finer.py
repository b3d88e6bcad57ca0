"""Goals with several conditions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.errors import ThreatError, UnknownLabel
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import Alone, Conceal, Fabricate, Goal, Linf, Reach, Swap, Threat
from napari_medadv.volume import Scale, Volume


def case() -> tuple[Classifier, Volume]:
    """Three labels whose weights overlap: whoever changes the first changes the others, unless they take care."""
    rng = torch.Generator().manual_seed(0)
    shared = torch.randn((64, 1), generator=rng) * 0.02
    weight = torch.randn((64, 3), generator=rng) * 0.01 + shared
    voxels = np.full((2, 8, 8), 1000, np.uint16)
    volume = Volume(voxels, np.eye(4), Scale("stored value", 0, 4095))
    bias = torch.tensor([1.0, 0.5, -0.5]) - torch.full((64,), 1000.0) @ weight

    def network(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1) @ weight + bias

    return Classifier(network, Findings(("a", "b", "c"), "sigmoid"), "stored value"), volume


def test_one_finding_goes_and_the_others_stay() -> None:
    classifier, volume = case()
    free = perturb(classifier, volume, Threat(Conceal("a"), Linf(20)), PGD(confidence=float("inf")))
    alone = perturb(classifier, volume, Threat(Alone("a"), Linf(20)), PGD())
    assert free.after.present == () and alone.after.present == ("b",)
    assert free.reached and alone.reached
    again = perturb(classifier, volume, Threat(Alone("c", "fabricate"), Linf(20)), PGD())
    assert again.reached and again.after.present == ("a", "b", "c")


@pytest.mark.parametrize("goal", [Swap("a", "c"), Reach("a", 0.9), Reach("a", 0.1, "at most")])
def test_swapped_and_driven_to_a_confidence(goal: Goal) -> None:
    classifier, volume = case()
    found = perturb(classifier, volume, Threat(goal, Linf(30)), PGD(steps=80))
    assert found.reached
    if isinstance(goal, Swap):
        assert "a" not in found.after.present and "c" in found.after.present
    else:
        assert found.after["a"] > 0.9 or found.after["a"] < 0.1


def test_the_margin_is_above_zero_just_where_the_goal_is_reached() -> None:
    logits = torch.randn((500, 3), generator=torch.Generator().manual_seed(1)) * 3
    decided = torch.tensor([[True, True, False]]).expand(500, -1)
    findings = Findings(("a", "b", "c"), "sigmoid", {"b": 0.3})
    present = torch.from_numpy(findings.present(logits.sigmoid().double().numpy()))
    wanted: dict[Goal, torch.Tensor] = {
        Alone("a"): ~present[:, 0] & present[:, 1] & ~present[:, 2],
        Alone("c", "fabricate"): present.all(dim=1),
        Swap("b", "a"): present[:, 0] & ~present[:, 1],
        Reach("b", 0.8): logits[:, 1].sigmoid() > 0.8,
    }
    for goal, reached in wanted.items():
        assert torch.equal(goal.margin(logits, findings, decided) > 0, reached), goal
        assert torch.equal(goal.ways(logits, findings, decided).amax(dim=1) > 0, reached), goal


def test_what_cannot_be_asked_is_refused() -> None:
    classifier, volume = case()
    one = dataclasses.replace(classifier, findings=Findings(("a", "b", "c"), "softmax"))
    refused: list[tuple[Classifier, Goal, type[Exception], str]] = [
        (one, Alone("a"), ThreatError, "one decision"),
        (classifier, Swap("a", "a"), ThreatError, "itself"),
        (classifier, Swap("a", "x"), UnknownLabel, "'x'"),
        (classifier, Fabricate("x"), UnknownLabel, "'x'"),
        (classifier, Reach("x", 0.5), UnknownLabel, "'x'"),
    ]
    for asked, goal, kind, words in refused:
        with pytest.raises(kind, match=words):
            perturb(asked, volume, Threat(goal, Linf(20)), PGD())
    with pytest.raises(ThreatError, match="between 0 and 1"):
        Reach("a", 1.0)

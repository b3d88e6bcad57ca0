"""Minimum-norm attacks against the closed form of a linear classifier, on plain tensors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from napari_medadv.attacks.plain import fool
from napari_medadv.attacks.tally import Tally
from napari_medadv.catalogue import entry, names
from napari_medadv.threat import L0, L1, L2, Budget, Linf
from napari_medadv.threat.ball import size

HOME = "napari_medadv.attacks"
BUDGETS: dict[str, Budget] = {"Linf": Linf(1e3), "L2": L2(1e3), "L1": L1(1e3), "L0": L0(36)}
WORSE = {"Linf": 1.05, "L2": 1.02, "L1": 1.2, "L0": 1.34}
CASES = [
    (name, norm)
    for name in names(HOME)
    if (kind := entry(name, HOME)).aim == "minimum norm" and kind.knowledge == "gradient" and name != "jsma"
    for norm in kind.norms
]


def linear() -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn((36, 2), generator=rng)
    inputs = torch.rand((6, 1, 6, 6), generator=rng) * 0.2 + 0.4
    logits = inputs.flatten(1) @ weight
    return lambda values: values.flatten(1) @ weight, inputs, logits.argmax(dim=1)


def nearest(norm: str) -> Tensor:
    """The true distance of each input, without bounds (L0: within [0, 1], by sorting what each voxel can give)."""
    network, inputs, labels = linear()
    normal = network(torch.eye(36).view(36, 1, 6, 6))
    normal = normal[:, 1] - normal[:, 0]
    logits = network(inputs)
    gap: Tensor = (logits[:, 1] - logits[:, 0]).abs()
    if norm == "L0":
        slope = torch.where(labels == 0, 1.0, -1.0)[:, None] * normal
        flat = inputs.flatten(1)
        gain = torch.where(slope > 0, slope * (1 - flat), -slope * flat).sort(dim=1, descending=True).values
        fewest: Tensor = (gain.cumsum(dim=1) < gap[:, None]).sum(dim=1) + 1.0
        return fewest
    slopes = {"Linf": normal.abs().sum(), "L2": normal.norm(), "L1": normal.abs().max()}
    found: Tensor = gap / slopes[norm]
    return found


@pytest.mark.parametrize(("name", "norm"), CASES)
def test_a_linear_classifier_is_fooled_at_the_closed_form_distance(name: str, norm: str) -> None:
    network, inputs, labels = linear()
    found = fool(network, inputs, labels, entry(name, HOME)(), BUDGETS[norm])
    assert (network(found).argmax(dim=1) != labels).all()
    assert found.min() >= 0 and found.max() <= 1
    sizes = size((found - inputs).unsqueeze(2), norm)  # type: ignore[arg-type]
    assert (sizes >= nearest(norm) * 0.999).all()
    assert float((sizes / nearest(norm)).median()) <= WORSE[norm], (sizes, nearest(norm))


@pytest.mark.parametrize("name", ["apgd_t", "fmn", "universal", "di_fgsm", "square"])
def test_a_small_batch_gives_what_a_large_one_gives(name: str) -> None:
    network, inputs, labels = linear()
    attack = entry(name, HOME)()
    small, large = (fool(network, inputs, labels, attack, Linf(0.02), batch=batch) for batch in (2, 64))
    assert torch.allclose(small, large, atol=1e-6) and not torch.equal(small, inputs)


def test_fab_goes_to_the_nearest_boundary_and_not_to_the_highest_other_label() -> None:
    weight = torch.zeros(3, 36)
    weight[1, :18], weight[2, 18:] = 0.1, 2.0
    clean = torch.full((2, 1, 6, 6), 0.5)
    offset = torch.tensor([1.5, 1.0, 0.5]) - clean[0].flatten() @ weight.T

    def network(values: Tensor) -> Tensor:
        return values.flatten(1) @ weight.T + offset

    found = fool(network, clean, torch.zeros(2, dtype=torch.long), entry("fab", HOME)(), Linf(1e3))
    # The second label is half a logit away at a slope of 1.8, the third one logit at a slope of 36.
    assert (found - clean).abs().flatten(1).amax(dim=1).tolist() == pytest.approx([1 / 36, 1 / 36], rel=0.02)


@pytest.mark.parametrize("name", sorted({name for name, norm in CASES if norm == "Linf"}))
def test_a_boundary_between_two_stored_levels_is_crossed(name: str) -> None:
    """A change of 6.1 levels everywhere is needed, and 6 is the nearest."""
    inputs = torch.full((2, 1, 6, 6), 100.0)

    def network(values: Tensor) -> Tensor:
        height = values.flatten(1).mean(dim=1) - 106.1
        return torch.stack([-height, height], dim=1)

    labels = torch.zeros(2, dtype=torch.long)
    found = fool(network, inputs, labels, entry(name, HOME)(), Linf(20), bounds=(0, 255), levels=256)
    change = (found - inputs).abs().flatten(1).amax(dim=1)
    assert (network(found).argmax(dim=1) == 1).all() and change.tolist() == [7, 7]


@pytest.mark.parametrize(("name", "norm"), [case for case in CASES if case[1] != "L0" and case[0] != "cw"])
def test_the_most_fragile_input_is_fooled_though_a_level_is_a_hundred_times_too_long(name: str, norm: str) -> None:
    inputs = torch.full((2, 1, 6, 6), 100.0)

    def network(values: Tensor) -> Tensor:
        height = values.flatten(1).mean(dim=1) - 100.0002
        return torch.stack([-height, height], dim=1)

    labels = torch.zeros(2, dtype=torch.long)
    found = fool(network, inputs, labels, entry(name, HOME)(), BUDGETS[norm], bounds=(0, 255), levels=256)
    assert (network(found).argmax(dim=1) == 1).all() and (found - inputs).abs().max() == 1


def test_fab_needs_few_steps_to_the_next_stored_level() -> None:
    inputs = torch.full((2, 1, 6, 6), 100.0)

    def network(values: Tensor) -> Tensor:
        height = values.flatten(1).mean(dim=1) - 106.002
        return torch.stack([-height, height], dim=1)

    attack = entry("fab", HOME)(steps=8)
    found = fool(network, inputs, torch.zeros(2, dtype=torch.long), attack, Linf(20), bounds=(0, 255), levels=256)
    assert (network(found).argmax(dim=1) == 1).all() and (found - inputs).amax().item() <= 8


def test_fmn_starts_again_for_fewer_voxels() -> None:
    rng = torch.Generator().manual_seed(0)
    first, second = ((2 * torch.rand(shape, generator=rng) - 1) / 8 for shape in ((64, 32), (32, 10)))
    inputs = torch.rand((24, 1, 8, 8), generator=rng)
    offset = (2 * torch.rand(32, generator=rng) - 1) / 8

    def network(values: Tensor) -> Tensor:
        return (values.flatten(1) @ first + offset).relu() @ second

    labels = network(inputs).argmax(dim=1)
    counts = [
        float(size((fool(network, inputs, labels, attack, L0(64)) - inputs).unsqueeze(2), "L0").sum())
        for attack in (entry("fmn", HOME)(steps=60), entry("closest", HOME)())
    ]
    assert counts[0] <= 1.05 * counts[1], counts


def test_the_confidence_of_cw_is_reached() -> None:
    network, inputs, labels = linear()
    leads = []
    for confidence in (0.0, 2.0):
        logits = network(fool(network, inputs, labels, entry("cw", HOME)(confidence=confidence), L2(1e3)))
        leads.append(logits.gather(1, 1 - labels[:, None]) - logits.gather(1, labels[:, None]))
    assert (leads[0] > 0).all() and (leads[0] < 1).all() and (leads[1] > 2).all()


@pytest.mark.parametrize(("name", "budget"), [("ddn", L2(1e3)), ("fmn", Linf(1.0)), ("fmn", L1(1e3))])
def test_an_input_without_gradient_leaves_the_others_alone(name: str, budget: Budget) -> None:
    plain, inputs, labels = linear()

    def network(values: Tensor) -> Tensor:
        dead = values.flatten(1)[:, :1] > 0.9
        return torch.where(dead, torch.tensor([9.0, -9.0]), plain(values))

    inputs, labels = inputs.clone(), labels.clone()
    inputs[0, 0, 0, 0], labels[0] = 1.0, 0
    found = fool(network, inputs, labels, entry(name, HOME)(), budget)
    assert found.isfinite().all() and (network(found[1:]).argmax(dim=1) != labels[1:]).all()


@pytest.mark.parametrize("name", ["apgd_t", "fab"])
def test_two_classes_are_one_way(name: str) -> None:
    network, inputs, labels = linear()
    tally = Tally()
    attack = entry(name, HOME)(steps=20, targets=9)
    fool(network, inputs, labels, attack, Linf(1e-4), tally=tally)
    assert tally.gradients == 20 * len(inputs)

"""The L1 ball cut off at the storable range, and budgets that differ from entry to entry."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_medadv.threat import L1, L2, Budget, Linf, ball
from napari_medadv.threat.each import Each

SHAPE = (5, 1, 1, 4, 6)


def drawn() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.rand(SHAPE, generator=rng), 2 * torch.randn(SHAPE, generator=rng)


def by_search(delta: Tensor, radius: float, low: Tensor, high: Tensor) -> Tensor:
    """The nearest point by halving the multiplier of the L1 norm: slow, and too simple to be wrong."""
    least, most = torch.zeros(len(delta)), delta.abs().flatten(1).amax(dim=1)
    for _ in range(100):
        cut = ball.wide((least + most) / 2, delta)
        trial = (delta.sign() * (delta.abs() - cut).clamp_min(0)).maximum(low).minimum(high)
        over = trial.abs().flatten(1).sum(dim=1) > radius
        least, most = torch.where(over, (least + most) / 2, least), torch.where(over, most, (least + most) / 2)
    found: Tensor = (delta.sign() * (delta.abs() - ball.wide(most, delta)).clamp_min(0)).maximum(low).minimum(high)
    return found


@pytest.mark.parametrize("radius", [0.3, 2.0, 6.0, 50.0])
def test_the_nearest_point_within_l1_ball_and_range(radius: float) -> None:
    clean, delta = drawn()
    found = L1(radius).within(delta, -clean, 1 - clean)
    assert torch.allclose(found, by_search(delta, radius, -clean, 1 - clean), atol=1e-5)
    after = (L1(radius).project(delta)).maximum(-clean).minimum(1 - clean)
    assert (L1(radius).size(found) >= L1(radius).size(after) - 1e-4).all()
    if radius == 2.0:
        assert (L1(radius).size(found) > L1(radius).size(after) + 0.1).any(), (
            "a ball cut off at the range is left unused"
        )


@pytest.mark.parametrize("budget", [Linf(0.5), L2(2.0), L1(3.0)])
def test_each_entry_has_the_budget_of_its_factor(budget: Budget) -> None:
    clean, delta = drawn()
    factors = torch.tensor([0.5, 1.0, 2.0, 0.1, 3.0])
    each = Each(budget, factors)
    rng = torch.Generator().manual_seed(0)
    for found in (each.project(delta), each.within(delta, -clean, 1 - clean), each.sample(clean, rng)):
        assert (ball.size(found, budget.norm) <= budget.epsilon * factors * (1 + 1e-5)).all()
    alone = type(budget)(budget.epsilon * 2.0)  # type: ignore[call-arg]
    assert torch.allclose(each.project(delta)[2], alone.project(delta)[2], atol=1e-6)
    assert torch.allclose(each.steepest(delta)[2], 2.0 * budget.steepest(delta)[2], atol=1e-6)
    assert torch.equal(each.take(torch.tensor([2])).factors, torch.tensor([2.0]))

"""Projections against what a slow and certain method finds."""

from __future__ import annotations

import pytest
import torch

from napari_medadv.threat import L0, L1, L2, Budget, Linf
from napari_medadv.threat.ball import Norm, dual, project, size

BUDGETS: tuple[Budget, ...] = (Linf(0.5), L2(1.5), L1(3.0), L0(4))


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.norm)
def test_projection_is_the_nearest_of_many_inside(budget: Budget) -> None:
    rng = torch.Generator().manual_seed(0)
    delta = torch.randn((3, 2, 1, 3, 4), generator=rng)
    near = budget.project(delta)
    assert (budget.size(near) <= budget.epsilon * (1 + 1e-5)).all()
    assert torch.allclose(budget.project(near), near, atol=1e-6)
    gap = torch.linalg.vector_norm((delta - near).flatten(1), dim=1)
    for _ in range(300):
        other = near + budget.sample(delta, rng) * float(torch.rand(1, generator=rng)) * 0.2
        inside = budget.size(other) <= budget.epsilon
        far = torch.linalg.vector_norm((delta - other).flatten(1), dim=1)
        assert (far[inside] >= gap[inside] - 1e-5).all()


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.norm)
def test_samples_lie_within_and_are_seeded(budget: Budget) -> None:
    like = torch.linspace(0, 10, 2 * 12).view(2, 1, 1, 3, 4)
    first, again = (budget.sample(like, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again) and first.any()
    assert (budget.size(first) <= budget.epsilon * (1 + 1e-5)).all()


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_the_dual_is_the_rise_of_the_best_direction(norm: Norm) -> None:
    gradient = torch.randn((1, 1, 1, 3, 4), generator=torch.Generator().manual_seed(1))
    flat = gradient.flatten()
    best = {"Linf": flat.sign(), "L2": flat / flat.norm(), "L1": torch.eye(12)[flat.abs().argmax()] * flat.sign()}[norm]
    assert torch.isclose(size(best.view_as(gradient), norm), torch.tensor(1.0)).all()
    assert torch.isclose(dual(gradient, norm)[0], flat @ best)


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1", "L0"])
def test_every_entry_has_its_own_radius(norm: Norm) -> None:
    delta = torch.randn((2, 1, 1, 3, 4), generator=torch.Generator().manual_seed(2)) * 5
    radius = torch.tensor([1.0, 3.0])
    assert torch.allclose(size(project(delta, norm, radius), norm), radius, rtol=1e-5)

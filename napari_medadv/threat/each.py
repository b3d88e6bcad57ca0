"""Each: a budget whose size differs from entry to entry."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_medadv.threat import ball
from napari_medadv.threat.budget import Budget


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """A budget times a factor of its own for each batch entry; sizes are told in the unit of the budget itself.

    Attributes
    ----------
    budget
        Linf, L2 or L1.
    factors
        (batch,), above zero.
    """

    budget: Budget
    factors: Tensor

    @property
    def norm(self) -> ball.Norm:
        """That of the budget."""
        return self.budget.norm

    @property
    def epsilon(self) -> float:
        """That of the budget: what a size is divided by the factor to be compared with."""
        return self.budget.epsilon

    def size(self, delta: Tensor) -> Tensor:
        """How large `delta` is as a share of each entry's factor: (batch,)."""
        return self.budget.size(delta / ball.wide(self.factors.to(delta), delta))

    def project(self, delta: Tensor) -> Tensor:
        """The nearest perturbation within each entry's budget."""
        wide = ball.wide(self.factors.to(delta), delta)
        return self.budget.project(delta / wide) * wide

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within each entry's budget and the bounds."""
        wide = ball.wide(self.factors.to(delta), delta)
        return self.budget.within(delta / wide, low / wide, high / wide) * wide

    def steepest(self, gradient: Tensor) -> Tensor:
        """The budget's steepest direction, as long as each entry's factor."""
        return self.budget.steepest(gradient) * ball.wide(self.factors.to(gradient), gradient)

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """A random perturbation within each entry's budget."""
        return self.budget.sample(like, rng) * ball.wide(self.factors.to(like), like)

    def take(self, entries: Tensor) -> Each:
        """Those of the chosen entries."""
        return Each(self.budget.take(entries), self.factors[entries])

"""Budget: how far an adversary may go, in the unit of the volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from napari_medadv.errors import ThreatError, VacuousBudget


@runtime_checkable
class Budget(Protocol):
    """A ball around the clean image; every batch entry (a slice, or a whole volume) has its own.

    Tensors are float32, (batch, channel, z, y, x), in the unit of the volume.
    """

    @property
    def epsilon(self) -> float:
        """The radius, in the unit of the volume."""
        ...

    def size(self, delta: Tensor) -> Tensor:
        """How large `delta` is: (batch,)."""
        ...

    def project(self, delta: Tensor) -> Tensor:
        """The nearest perturbation within the budget."""
        ...

    def steepest(self, gradient: Tensor) -> Tensor:
        """The perturbation of size one along which the loss rises fastest."""
        ...

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """A random perturbation within the budget, of the shape of `like`."""
        ...


def check(budget: Budget, quantum: float, unit: str) -> None:
    """Refuse a budget within which no voxel can be stored any differently.

    Parameters
    ----------
    budget
        What is asked for.
    quantum
        The smallest step between grey levels among the slices, in `unit`.
    unit
        The unit of the volume.

    Raises
    ------
    VacuousBudget
        The budget is below one grey level.
    """
    if budget.epsilon < quantum * (1 - 1e-6):
        raise VacuousBudget(
            f"A budget of {budget.epsilon:g} {unit} is below one grey level of this series ({quantum:g} {unit}), so nothing could be "
            f"stored within it: give at least {quantum:g}."
        )


def _norms(delta: Tensor) -> Tensor:
    found: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1).clamp_min(torch.finfo(delta.dtype).tiny)
    return found.view(-1, *[1] * (delta.ndim - 1))


@dataclass(frozen=True, slots=True)
class Linf:
    """No voxel may change by more than `epsilon`."""

    epsilon: float

    def __post_init__(self) -> None:
        _positive(self.epsilon)

    def size(self, delta: Tensor) -> Tensor:
        """The largest change: (batch,)."""
        return delta.flatten(1).abs().amax(dim=1)

    def project(self, delta: Tensor) -> Tensor:
        """Every change clipped to the budget."""
        return delta.clamp(-self.epsilon, self.epsilon)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The sign of the gradient."""
        return gradient.sign()

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Uniform within the cube."""
        noise = torch.rand(like.shape, generator=rng, device=rng.device, dtype=like.dtype).to(like.device)
        return (2 * noise - 1) * self.epsilon


@dataclass(frozen=True, slots=True)
class L2:
    """The root of the summed squared changes of one slice (or one volume) may not exceed `epsilon`."""

    epsilon: float

    def __post_init__(self) -> None:
        _positive(self.epsilon)

    def size(self, delta: Tensor) -> Tensor:
        """The Euclidean norm: (batch,)."""
        norms: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
        return norms

    def project(self, delta: Tensor) -> Tensor:
        """Shrunk onto the ball where it is outside."""
        return delta * (self.epsilon / _norms(delta)).clamp_max(1.0)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The gradient at norm one."""
        return gradient / _norms(gradient)

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Uniform within the ball."""
        noise = torch.randn(like.shape, generator=rng, device=rng.device, dtype=like.dtype).to(like.device)
        radius = torch.rand(len(like), generator=rng, device=rng.device, dtype=torch.float64) ** (1 / like[0].numel())
        return noise / _norms(noise) * self.epsilon * radius.to(like).view(-1, *[1] * (like.ndim - 1))


def _positive(epsilon: float) -> None:
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ThreatError(
            f"A budget of {epsilon:g} leaves nothing to change: give a positive, finite epsilon in the unit of the series."
        )

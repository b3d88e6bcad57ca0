"""Budget: how far an adversary may go, in the unit of the volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, SupportsFloat, runtime_checkable

import torch
from torch import Tensor

from napari_medadv.errors import ThreatError, VacuousBudget, wrong_kind
from napari_medadv.threat import ball


@runtime_checkable
class Budget(Protocol):
    """A ball around the clean image; every batch entry (a slice, or a whole volume) has its own.

    Tensors are float32, (batch, channel, z, y, x), in the unit of the volume. Every budget is a dataclass.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def norm(self) -> ball.Norm:
        """How size is measured."""
        ...

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

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within the budget and between the bounds `low` <= 0 and `high` >= 0."""
        ...

    def steepest(self, gradient: Tensor) -> Tensor:
        """The perturbation of size one along which the loss rises fastest."""
        ...

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """A random perturbation within the budget, of the shape of `like`."""
        ...

    def take(self, entries: Tensor) -> Budget:
        """The budget of the chosen batch entries: itself, unless entries differ."""
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
    if not isinstance(budget, L0) and budget.epsilon < quantum * (1 - 1e-6):
        raise VacuousBudget(
            f"A budget of {budget.epsilon:g} {unit} is below one grey level of this series ({quantum:g} {unit}), so nothing could be "
            f"stored within it: give at least {quantum:g} {unit}."
        )


def _radii(epsilon: float, delta: Tensor) -> Tensor:
    return torch.full((len(delta),), epsilon, device=delta.device, dtype=delta.dtype)


def _norms(delta: Tensor) -> Tensor:
    found: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1).clamp_min(torch.finfo(delta.dtype).tiny)
    return found.view(-1, *[1] * (delta.ndim - 1))


@dataclass(frozen=True, slots=True)
class Linf:
    """No voxel may change by more than `epsilon`."""

    norm: ClassVar[ball.Norm] = "Linf"

    epsilon: float

    def __post_init__(self) -> None:
        _positive(self.epsilon)

    def size(self, delta: Tensor) -> Tensor:
        """The largest change: (batch,)."""
        return delta.flatten(1).abs().amax(dim=1)

    def project(self, delta: Tensor) -> Tensor:
        """Every change clipped to the budget."""
        return delta.clamp(-self.epsilon, self.epsilon)

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within both."""
        return ball.within(delta, "Linf", _radii(self.epsilon, delta), low, high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The sign of the gradient."""
        return gradient.sign()

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Uniform within the cube."""
        noise = torch.rand(like.shape, generator=rng, device=rng.device, dtype=like.dtype).to(like.device)
        return (2 * noise - 1) * self.epsilon

    def take(self, entries: Tensor) -> Linf:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class L2:
    """The root of the summed squared changes of one slice (or one volume) may not exceed `epsilon`."""

    norm: ClassVar[ball.Norm] = "L2"

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

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within both."""
        return ball.within(delta, "L2", _radii(self.epsilon, delta), low, high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The gradient at norm one."""
        return gradient / _norms(gradient)

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Uniform within the ball."""
        noise = torch.randn(like.shape, generator=rng, device=rng.device, dtype=like.dtype).to(like.device)
        radius = torch.rand(len(like), generator=rng, device=rng.device, dtype=torch.float64) ** (1 / like[0].numel())
        return noise / _norms(noise) * self.epsilon * radius.to(like).view(-1, *[1] * (like.ndim - 1))

    def take(self, entries: Tensor) -> L2:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class L1:
    """The summed absolute changes of one slice (or one volume) may not exceed `epsilon`."""

    norm: ClassVar[ball.Norm] = "L1"

    epsilon: float

    def __post_init__(self) -> None:
        _positive(self.epsilon)

    def size(self, delta: Tensor) -> Tensor:
        """The sum of absolute changes: (batch,)."""
        return delta.flatten(1).abs().sum(dim=1)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest perturbation within the ball."""
        return ball.project(delta, "L1", _radii(self.epsilon, delta))

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within both."""
        return ball.within(delta, "L1", _radii(self.epsilon, delta), low, high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Equal shares for the twentieth of the voxels with the largest gradient (https://arxiv.org/abs/1904.13000)."""
        flat = gradient.flatten(1)
        count = max(1, flat.shape[1] // 20)
        places = flat.abs().topk(count, dim=1).indices
        chosen = torch.zeros_like(flat).scatter(1, places, flat.gather(1, places).sign())
        return (chosen / chosen.abs().sum(dim=1, keepdim=True).clamp_min(1)).view_as(gradient)

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Uniform within the ball."""
        count = like[0].numel()
        draws = torch.rand((len(like), count), generator=rng, device=rng.device, dtype=torch.float64).clamp_min(1e-300)
        shares = -draws.log()
        signs = torch.randint(0, 2, (len(like), count), generator=rng, device=rng.device) * 2 - 1
        radius = torch.rand((len(like), 1), generator=rng, device=rng.device, dtype=torch.float64) ** (1 / count)
        return (shares / shares.sum(dim=1, keepdim=True) * signs * radius * self.epsilon).to(like).view_as(like)

    def take(self, entries: Tensor) -> L1:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class L0:
    """No more than `epsilon` voxels (of all channels) of one slice, or one volume, may change, each by `reach` at most."""

    norm: ClassVar[ball.Norm] = "L0"

    epsilon: float
    reach: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon >= 1):
            raise VacuousBudget(f"A budget of {self.epsilon:g} voxels lets nothing change: give at least 1.")
        if self.epsilon != int(self.epsilon):
            raise ThreatError(f"A budget of {self.epsilon:g} voxels counts a part of one: give a whole number.")
        if not self.reach > 0:
            raise ThreatError(f"A reach of {self.reach:g} leaves nothing to change: give a positive one.")

    def size(self, delta: Tensor) -> Tensor:
        """How many voxels changed: (batch,)."""
        return ball.size(delta, "L0")

    def project(self, delta: Tensor) -> Tensor:
        """The largest changes alone, each within reach."""
        delta = delta.clamp(-self.reach, self.reach)
        return delta * self._largest(delta)

    def within(self, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The nearest perturbation within both."""
        return ball.within(delta.clamp(-self.reach, self.reach), "L0", _radii(self.epsilon, delta), low, high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The voxels with the largest gradient, moved so that `epsilon` times this is the whole reach."""
        reach = min(self.reach, 1e9) / self.epsilon
        return gradient.sign() * self._largest(gradient) * reach

    def sample(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """Random voxels, changed by up to the reach, or up to the span of the values where it has no end."""
        place = torch.rand((len(like), 1, *like.shape[2:]), generator=rng, device=rng.device).to(like.device)
        draw = torch.rand(like.shape, generator=rng, device=rng.device, dtype=like.dtype).to(like.device)
        span = (like.flatten(1).amax(dim=1) - like.flatten(1).amin(dim=1)).clamp_min(1).view(-1, *[1] * (like.ndim - 1))
        return (2 * draw - 1) * span.clamp_max(self.reach) * self._largest(place)

    def _largest(self, amount: Tensor) -> Tensor:
        return ball.largest(amount, _radii(self.epsilon, amount))

    def take(self, entries: Tensor) -> L0:
        """Itself."""
        return self


def _positive(epsilon: float) -> None:
    if not isinstance(epsilon, SupportsFloat):
        raise ThreatError(wrong_kind("A budget's epsilon", epsilon, "a number", "give one in the unit of the series"))
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ThreatError(
            f"A budget of {epsilon:g} leaves nothing to change: give a positive, finite epsilon in the unit of the series."
        )

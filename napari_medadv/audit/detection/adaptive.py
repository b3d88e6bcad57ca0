"""Adaptive: an adversary who knows the detectors, Carlini and Wagner 2017, https://arxiv.org/abs/1705.07263; Tramer et al. 2020, https://arxiv.org/abs/2002.08347."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.task import Task
from napari_medadv.detect.detector import Detector, Need, State
from napari_medadv.detect.noise_margin import NoiseMargin
from napari_medadv.detect.squeeze import Squeeze
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import AttackError

_QUARTILE = math.log(4.0)


@dataclass(frozen=True, slots=True)
class Foe:
    """A detector that is to be evaded, and how the fusion counts it (`detect.conformal`).

    Attributes
    ----------
    detector, state
        Itself, and what it learnt.
    quartile, tail
        The upper quartile of its scores on clean images, and the mean of what lies beyond above it.
    weight
        How much it counts beside the others.
    """

    detector: Detector
    state: State = field(repr=False)
    quartile: float
    tail: float
    weight: float = 1.0

    def suspicion(self, suspect: Suspect) -> Tensor:
        """What the fusion makes of its score, -log p: (batch,); below the quartile a smooth curve instead of ranks."""
        beyond = (self.detector(suspect, self.state) - self.quartile) / self.tail
        return beyond.clamp_min(0) + _QUARTILE * torch.exp(beyond.clamp_max(0) / _QUARTILE)


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Orthogonal projected ascent with momentum; what is kept reached the goal and is least suspicious to the fusion.

    Until the goal is reached its margin is climbed without raising the detectors' joint suspicion, from then on the suspicion
    is lowered without giving the margin up: each gradient loses its part along the other where the two are at odds
    (Bryniarski, Hingun, Pachuca, Wang and Carlini 2021, https://arxiv.org/abs/2106.15023). The suspicion is that by which
    detectors are fused, so that the one that sees most is worked on most. A detector's randomness is drawn anew at every
    step, and steps are remembered (expectation over it); quantising filters pass the gradient straight through; a feature
    detector's distance to clean features is part of the suspicion (feature matching).

    Attributes
    ----------
    foes
        The detectors.
    steps, step
        How many, and the length of the first as a share of epsilon; later ones are shorter.
    decay
        What of the older steps is kept at each.
    enough
        A margin beyond which the goal pulls no more, in logits.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    foes: Sequence[Foe]
    steps: int = 20
    step: float = 0.25
    decay: float = 0.9
    enough: float = 0.05

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.step > 0 or not 0 <= self.decay < 1 or not self.foes:
            raise AttackError(
                "An adaptive attack takes at least one detector, steps >= 1, step > 0 and a decay from 0 to below 1."
            )

    def __call__(self, task: Task) -> Tensor:
        """The stored values that reached the goal and look least suspicious."""
        best, lowest = task.clean.clone(), torch.full((len(task),), torch.inf, device=task.clean.device)
        nearest = torch.full_like(lowest, -torch.inf)
        values = task.admit(task.clean + 0.5 * task.budget.sample(task.clean, task.rng))
        course = torch.zeros_like(values)
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            here = task.stored(values)
            margin, goal = task.gradient(here)
            suspicion, away = self._suspicion(task, here)
            reached = margin > 0
            better = torch.where(reached, suspicion < lowest, lowest.isinf() & (margin > nearest))
            best = torch.where(better.view(-1, 1, 1, 1, 1), here, best)
            lowest = torch.where(better & reached, suspicion, lowest)
            nearest = torch.maximum(nearest, margin)
            if count == self.steps:
                break
            pull = (margin <= self.enough).view(-1, 1, 1, 1, 1)
            goal, away = _level(goal), _level(away)
            direction = torch.where(pull, _beside(goal, away), -_beside(away, goal))
            course = self.decay * course + _level(direction)
            length = self.step * (1 - count / (self.steps + 1)) * task.budget.epsilon
            values = task.admit(values + length * task.budget.steepest(course))
        return best

    def _suspicion(self, task: Task, values: Tensor) -> tuple[Tensor, Tensor]:
        """The joint suspicion (batch,), and its gradient."""
        each, gradients = [], []
        for foe in self.foes:
            inputs = values.detach().requires_grad_(True)
            with torch.enable_grad():
                found = drawn(foe, task.rng).suspicion(_suspect(task, inputs))
                (gradient,) = torch.autograd.grad(found.sum(), inputs)
            each.append(found.detach() + math.log(foe.weight))
            gradients.append(gradient.detach())
        joint = torch.stack(each)
        total = torch.zeros_like(values)
        for share, gradient in zip(joint.softmax(dim=0), gradients, strict=True):
            total = total + share.view(-1, 1, 1, 1, 1) * gradient
        return joint.logsumexp(dim=0), total * task.grid.free


def drawn(foe: Foe, rng: torch.Generator) -> Foe:
    """The same detector with fewer and other random parts: in the mean over steps, its expectation at a lower cost."""
    detector = foe.detector
    if isinstance(detector, NoiseMargin):
        return replace(
            foe, detector=_Reseeded(replace(detector, copies=2), int(torch.randint(2**31, (1,), generator=rng)))
        )
    if isinstance(detector, Squeeze) and len(detector.filters) > 2:
        chosen = torch.randperm(len(detector.filters), generator=rng)[:2].tolist()
        return replace(foe, detector=replace(detector, filters=tuple(detector.filters[i] for i in chosen)))
    return foe


@dataclass(frozen=True, slots=True)
class _Reseeded:
    needs: ClassVar[tuple[Need, ...]] = NoiseMargin.needs
    weight: ClassVar[float] = NoiseMargin.weight
    evaded_by: ClassVar[str] = NoiseMargin.evaded_by

    detector: NoiseMargin
    seed: int

    @property
    def passes(self) -> int:
        return self.detector.passes

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        return self.detector(replace(suspect, seed=self.seed), state)


def _suspect(task: Task, values: Tensor) -> Suspect:
    if task.volume is None:
        raise AttackError("An adaptive attack needs the volume, and this task holds plain tensors: call perturb().")
    quantum = torch.from_numpy(task.volume.scale.quantum).to(values)
    if len(quantum) > 1 and task.rows is not None:
        quantum = quantum[torch.from_numpy(task.rows)]
    shape = (-1, 1, 1, 1, 1) if values.shape[2] == 1 else (1, 1, -1, 1, 1)
    window = task.volume.window.limits
    return Suspect(task.classifier, task.intake, values, quantum.view(shape), window, task.volume.scale.unit)


def _beside(gradient: Tensor, other: Tensor) -> Tensor:
    """The gradient of each entry without its part along another, where they point the same way."""
    along = (gradient * other).flatten(1).sum(dim=1) / other.square().flatten(1).sum(dim=1).clamp_min(1e-12)
    return gradient - along.clamp_min(0).view(-1, 1, 1, 1, 1) * other


def _level(gradient: Tensor) -> Tensor:
    """The gradient of each entry at a mean absolute value of one."""
    means = gradient.flatten(1).abs().mean(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
    return gradient / means.view(-1, 1, 1, 1, 1)

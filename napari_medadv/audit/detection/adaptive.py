"""Adaptive: an adversary who knows the detectors, Carlini and Wagner 2017, https://arxiv.org/abs/1705.07263; Tramer et al. 2020, https://arxiv.org/abs/2002.08347."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Foe:
    """A detector that is to be evaded.

    Attributes
    ----------
    detector, state
        Itself, and what it learnt.
    middle, spread
        Of its scores on clean images: where an image is unsuspicious, and how much clean images differ.
    """

    detector: Detector
    state: State = field(repr=False)
    middle: float
    spread: float

    def excess(self, suspect: Suspect) -> Tensor:
        """How far above unsuspicious: (batch,), in spreads of clean images."""
        return (self.detector(suspect, self.state) - self.middle) / self.spread


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Orthogonal projected ascent; what is kept reached the goal with the least excess.

    Until the goal is reached its margin is climbed without raising the detectors' excess, from then on the excess is lowered
    without giving the margin up: each gradient loses its part along the other where the two are at odds (Bryniarski,
    Hingun, Pachuca, Wang and Carlini 2021, https://arxiv.org/abs/2106.15023). A detector's randomness is drawn anew at every
    step (expectation over it); quantising filters pass the gradient straight through; a feature detector's distance to clean
    features is part of the excess (feature matching).

    Attributes
    ----------
    foes
        The detectors.
    steps, step
        How many, and the length of the first as a share of epsilon; later ones are shorter.
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
    enough: float = 0.5

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.step > 0 or not self.foes:
            raise AttackError("An adaptive attack takes at least one detector, steps >= 1 and step > 0.")

    def __call__(self, task: Task) -> Tensor:
        """The stored values that reached the goal and look least suspicious."""
        best, lowest = task.clean.clone(), torch.full((len(task),), torch.inf, device=task.clean.device)
        nearest = torch.full_like(lowest, -torch.inf)
        values = task.admit(task.clean + 0.5 * task.budget.sample(task.clean, task.rng))
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            here = task.stored(values)
            margin, goal = task.gradient(here)
            excess, away = self._excess(task, here)
            reached = margin > 0
            better = torch.where(reached, excess < lowest, lowest.isinf() & (margin > nearest))
            best = torch.where(better.view(-1, 1, 1, 1, 1), here, best)
            lowest = torch.where(better & reached, excess, lowest)
            nearest = torch.maximum(nearest, margin)
            if count == self.steps:
                break
            pull = (margin <= self.enough).view(-1, 1, 1, 1, 1)
            push = (excess > 0).to(goal).view(-1, 1, 1, 1, 1)
            goal, away = _level(goal), push * _level(away)
            direction = torch.where(pull, _beside(goal, away), -_beside(away, goal))
            length = self.step * (1 - count / (self.steps + 1)) * task.budget.epsilon
            values = task.admit(values + length * task.budget.steepest(direction))
        return best

    def _excess(self, task: Task, values: Tensor) -> tuple[Tensor, Tensor]:
        """The largest excess (batch,), and the gradient of the smooth sum of all."""
        excess, total = [], torch.zeros_like(values)
        for foe in self.foes:
            inputs = values.detach().requires_grad_(True)
            with torch.enable_grad():
                found = drawn(foe, task.rng).excess(_suspect(task, inputs))
                (gradient,) = torch.autograd.grad(found.clamp_min(-1).sum(), inputs)
            excess.append(found.detach())
            total = total + gradient.detach()
        return torch.stack(excess).amax(dim=0), total * task.grid.free


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

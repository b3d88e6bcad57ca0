"""Curve: the smallest epsilon that fools each image, and so the robust accuracy at any epsilon.

A minimum-norm attack gives an upper bound for each image, and thereby an answer for every epsilon at once; then the
strongest fixed-budget attack tries one step of the grid lower, on the images that still stand at it. It begins at the
clean image: from where the first attack ended it finds less. At last every image is asked a little nearer by, so that a
size between two steps of the grid is that of its change and not of the step in which it was met.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.attacks.adapt import adapt
from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.each_slice import by_mean
from napari_medadv.attacks.fmn import FMN
from napari_medadv.attacks.perturb import Perturbation, perturb
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AlreadyReached, ThreatError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.model.classifier import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.progress import Progress, part, silent
from napari_medadv.threat import L0, L1, L2, Budget, Goal, Linf, Region, Swap, Threat
from napari_medadv.threat.ball import Norm, size, wide
from napari_medadv.volume import Volume

_HALVINGS = 4
"""Of the way between two steps of the grid."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What was found for a set of images.

    Attributes
    ----------
    smallest
        For each image the smallest epsilon that fools it, in the unit of the images: 0 for one that is wrong as it is,
        infinite for one that nothing fooled. Between two steps of the grid it is the size that was found.
    """

    smallest: tuple[float, ...]

    def robust(self, epsilon: float) -> tuple[float, float, float]:
        """The share of images that stand at `epsilon`, and the ends of its 95 % interval (Wilson)."""
        count = self._count
        share = sum(size > epsilon * (1 + 1e-6) for size in self.smallest) / count
        z = 1.959964
        middle = (share + z * z / (2 * count)) / (1 + z * z / count)
        half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))

    @property
    def median(self) -> float:
        """The epsilon at which half of the images have fallen."""
        return sorted(self.smallest)[(self._count - 1) // 2]

    @property
    def _count(self) -> int:
        if not self.smallest:
            raise ThreatError("A robustness curve of no images says nothing: give at least one.")
        return len(self.smallest)


def smallest_epsilons(
    task: Task, epsilons: Sequence[float], *, steps: int = 15, confirm: int = 15, arithmetic: Arithmetic = "auto"
) -> Tensor:
    """The smallest epsilon that fools each entry of a task, as stored: (batch,), infinite where none was found.

    Parameters
    ----------
    task
        Whom to fool; the size of its budget is of no matter.
    epsilons
        The grid of budgets that are confirmed, ascending, above zero.
    steps
        Of the minimum-norm run.
    confirm
        Steps of the fixed-budget attack at each step of the grid.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """
    return _descend(task, epsilons, steps, confirm, arithmetic)[1]


def _descend(
    task: Task, epsilons: Sequence[float], steps: int, confirm: int, arithmetic: Arithmetic
) -> tuple[Tensor, Tensor]:
    grid = _grid(epsilons)
    task.tally.section(0.0, 0.5)
    values = FMN(steps, refine=0, arithmetic=arithmetic)(task)
    margin = task.margin(values)
    found = torch.where(margin > SURE, task.size(values), torch.inf)
    exact = torch.tensor(grid, device=found.device, dtype=found.dtype)
    below = torch.searchsorted(exact, found * (1 - 1e-6)) - 1
    task.tally.section(0.5, 0.5)
    for place in range(len(grid) - 1, -1, -1):
        rows = (below == place).nonzero().flatten()
        if not len(rows):
            continue
        epsilon = grid[place]
        some = replace(task.take(rows), budget=replace(task.budget.take(rows), epsilon=epsilon))
        best = Best(some, SURE)
        adapt(
            best,
            some.clean,
            "cross-entropy",
            steps=confirm,
            done=(len(grid) - 1 - place) * (confirm + 1),
            total=len(grid) * (confirm + 1),
            arithmetic=arithmetic,
        )
        fooled = best.margin > SURE
        won = rows[fooled]
        values[won] = best.values[fooled]
        found[won] = torch.minimum(found[won], task.take(won).size(best.values[fooled]).clamp_max(epsilon))
        below[won] = place - 1
    return _nearer(task, values, found, torch.cat([exact.new_zeros(1), exact])[below + 1])


def _nearer(task: Task, values: Tensor, found: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
    """What was found, on its way from the size `below` at which no attack succeeded, halved a few times."""
    smallest = Smallest(task)
    smallest.see(values, torch.where(found.isfinite(), torch.inf, -torch.inf))
    if task.budget.norm == "L0":
        smallest.refine(_HALVINGS)
    else:
        share = wide((below / task.size(values).clamp_min(1e-30)).clamp_max(1), values)
        smallest.halve(task.clean + share * (values - task.clean), _HALVINGS)
    return smallest.values, torch.minimum(found, smallest.size)


def _grid(epsilons: Sequence[float]) -> tuple[float, ...]:
    """The epsilons in their order."""
    grid = tuple(sorted(float(epsilon) for epsilon in epsilons))
    if not grid or not (grid[0] > 0 and math.isfinite(grid[-1])):
        raise ThreatError("A robustness curve needs finite epsilons above zero: give at least one.")
    return grid


@dataclass(frozen=True, slots=True)
class _Descent:
    """The smallest epsilon of each entry, as an attack that the driver can judge."""

    needs_gradient: ClassVar[bool] = True

    epsilons: tuple[float, ...]
    steps: int
    confirm: int
    arithmetic: Arithmetic = "auto"

    def __call__(self, task: Task) -> Tensor:
        return _descend(task, self.epsilons, self.steps, self.confirm, self.arithmetic)[0]


def robustness(
    classifier: Classifier,
    volumes: Sequence[Volume],
    goal: Goal,
    norm: Norm,
    epsilons: Sequence[float],
    *,
    region: Region | None = None,
    steps: int = 15,
    confirm: int = 15,
    arithmetic: Arithmetic = "auto",
    seed: int = 0,
    progress: Progress = silent,
) -> Curve:
    """The robustness curve of a classifier over volumes: every size is of what was stored and judged.

    The size of a volume is the least within which the slices that changed by no more reach the goal together: that of
    the largest change where every slice must hide a finding, that of the smallest where one slice shows it. Where the mean
    of the slices decides, or two findings are swapped, slices do not stand for themselves: the series as a whole is attacked
    at each epsilon of the grid as well, from the largest down to the first that does not suffice.

    Parameters
    ----------
    classifier, volumes, goal, region
        Whom to fool with what, how and where.
    norm, epsilons
        How sizes are measured, and the grid of budgets that are confirmed, in the unit of the volumes.
    steps, confirm
        Of the minimum-norm run, and of each confirmation.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    seed, progress
        Of all randomness; who is told.
    """
    grid = _grid(epsilons)
    kinds: dict[Norm, Callable[[float], Budget]] = {"Linf": Linf, "L2": L2, "L1": L1, "L0": L0}
    if norm not in kinds:
        raise ThreatError(f"{norm!r} is no norm of a budget: name one of {', '.join(kinds)}.")
    found = []
    for count, volume in enumerate(volumes):
        threat = Threat(goal, kinds[norm](max(grid[-1], _most(volume, norm))), region or Region())
        share = part(progress, count / len(volumes), (count + 1) / len(volumes))
        several = classifier.reads == "slices" and len(volume.voxels) > 1
        together = several and (by_mean(classifier, goal) or isinstance(goal, Swap))
        descent, first = _Descent(grid, steps, confirm, arithmetic), part(share, 0.0, 0.5 if together else 1.0)
        try:
            done = perturb(classifier, volume, threat, descent, seed=seed, progress=first)
        except AlreadyReached:
            found.append(0.0)
            continue
        smallest = _least(done, norm)
        if together and norm != "L0":
            less = [epsilon for epsilon in reversed(grid) if epsilon < smallest]
            for place, epsilon in enumerate(less):
                again = replace(threat, budget=kinds[norm](epsilon))
                turn = part(share, 0.5 + 0.5 * place / len(less), 0.5 + 0.5 * (place + 1) / len(less))
                done = perturb(classifier, volume, again, APGD(confirm), seed=seed, progress=turn)
                if not done.reached:
                    break
                smallest = min(smallest, epsilon, _least(done, norm))
        found.append(smallest)
    return Curve(tuple(found))


def _most(volume: Volume, norm: Norm) -> float:
    """A budget that holds every change that can be stored, so that what is found beyond the grid is not cut off."""
    scale, count = volume.scale, volume.voxels.size
    span = float(np.abs(scale.slope).max()) * (scale.highest - scale.lowest)
    return {"Linf": span, "L2": span * math.sqrt(count), "L1": span * count, "L0": float(count)}[norm]


def _least(done: Perturbation, norm: Norm) -> float:
    """The smallest budget for a slice (or volume) within which what was stored reaches the goal; infinite for none."""
    before, after = done.before, done.after
    change = torch.from_numpy(done.adversarial.values().astype("float64") - done.clean.values())
    change = change.movedim(3, 0) if done.clean.colour else change[None]
    sizes = size(change[None] if before.slices is None else change.transpose(0, 1).unsqueeze(2), norm)
    if before.slices is None or after.slices is None:
        return float(sizes[0]) if done.reached else math.inf
    for least in sorted({float(one) for one in sizes if one > 0}):
        within = (sizes <= least).numpy()[:, None]
        slices = np.where(within, after.slices, before.slices)
        partly = Prediction.pooled(before.findings, slices, before.pooling)
        if done.threat.goal.reached(before, partly, done.slices):
            return least
    return math.inf

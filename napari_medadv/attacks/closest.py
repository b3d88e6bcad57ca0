"""The closest of several minimum-norm attacks, then fixed-budget ascents just below it (after https://arxiv.org/abs/2404.19460)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.adapt import adapt
from napari_medadv.attacks.attack import Aim, Attack, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.ddn import DDN
from napari_medadv.attacks.exchange import fewer
from napari_medadv.attacks.fab import FAB
from napari_medadv.attacks.fmn import FMN
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.pdpgd import PDPGD
from napari_medadv.attacks.sigma_zero import SigmaZero
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.sparse_ascent import from_outside
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat.ball import Norm
from napari_medadv.threat.each import Each

_SHRINK = 0.04
_SPARSE = 3.375
"""Steps of sigma-zero, and of PDPGD, for each step of another minimum-norm attack."""
_EXCHANGED = 2.35
"""Passes of the exchange for each step that confirming would take: with the two they stay below the 2000 of AttackBench."""
_LOSSES: tuple[Loss, ...] = ("cross-entropy", "margin")


@dataclass(frozen=True, slots=True)
class Closest:
    """Several minimum-norm attacks; then, for each entry, APGD within a slightly smaller budget than the smallest so far.

    Where voxels are counted, sigma-zero goes each way of reaching the goal, PDPGD the nearest, and then single voxels are
    exchanged.

    Attributes
    ----------
    steps
        Of each minimum-norm attack.
    targets
        How many ways of reaching the goal are tried, the nearest first; two more where voxels are counted.
    rounds
        How often a smaller budget is tried.
    confirm
        Steps of each of these.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1", "L0")

    steps: int = 80
    targets: int = 5
    rounds: int = 15
    confirm: int = 25

    def __post_init__(self) -> None:
        if min(self.steps, self.targets, self.confirm) < 1 or self.rounds < 0:
            raise AttackError("Closest takes steps, targets and confirm >= 1, and rounds >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest = Smallest(task)
        parts = self._parts(task.budget.norm)
        for place, attack in enumerate(parts):
            task.tally.section(0.7 * place / len(parts), 0.7 / len(parts))
            here = task.nearest(attack(task))
            smallest.see(here, task.margin(here))
        task.tally.section(0.7, 0.3)
        if task.budget.norm == "L0":
            passes = round(_EXCHANGED * self.rounds * self.confirm)
            fewer(task, smallest, passes=passes, candidates=max(self.confirm // 3, 1), targets=(self.targets + 1) // 2)
        else:
            self._below(task, smallest)
        return smallest.values

    def _parts(self, norm: Norm) -> tuple[Attack, ...]:
        if norm == "L0":
            steps = round(_SPARSE * self.steps)
            return (SigmaZero(steps, targets=self.targets + 2), PDPGD(steps))
        fab = FAB(self.steps // 2, targets=self.targets)
        if norm == "L2":
            return (DDN(self.steps), FMN(self.steps, arithmetic="float32"), fab)
        if norm == "L1":
            return (PDPGD(3 * self.steps), FMN(self.steps, arithmetic="float32"), fab)
        return (FMN(self.steps, arithmetic="float32"), PDPGD(self.steps), fab)

    def _below(self, task: Task, smallest: Smallest) -> None:
        """Ascents within a budget that is smaller by a share, which halves for the entries that they fail."""
        shrink = torch.full_like(smallest.size, _SHRINK)
        for count in range(self.rounds):
            rows = smallest.found.nonzero().flatten()
            if not len(rows):
                return
            factors = smallest.size[rows] * (1 - shrink[rows]) / task.budget.epsilon
            part = replace(task.take(rows), budget=Each(task.budget.take(rows), factors))
            best = Best(part, SURE)
            fresh = count % 3 == 2
            start, steps, loss = smallest.values[rows], self.confirm, _LOSSES[count % 3 % 2]
            if fresh:
                away = part.clean + part.budget.sample(part.clean, part.rng)
                start, steps = from_outside(best, away, loss, steps=2 * steps)
            adapt(
                best,
                start,
                loss,
                steps=steps,
                done=count * self.confirm,
                total=self.rounds * self.confirm,
            )
            won = smallest.see(best.values, best.margin, rows)
            shrink[rows] = torch.where(won | fresh, shrink[rows], shrink[rows] / 2)

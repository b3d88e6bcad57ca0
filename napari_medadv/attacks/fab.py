"""Fast adaptive boundary (FAB), Croce and Hein 2019, https://arxiv.org/abs/1907.02044."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.plane import to_plane
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Aim, Knowledge, Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.ball import Norm


@dataclass(frozen=True, slots=True)
class FAB:
    """Between the projections of the iterate and of the clean image onto the linearised boundary, within the range.

    Attributes
    ----------
    steps
        Steps of each start.
    starts
        The first is the clean image, the others are random, half as far as the smallest change so far.
    targets
        How many ways of reaching the goal are tried in turn, the nearest first.
    pull
        At most this share of each step goes to the clean image's own projection.
    overshoot
        Length of a step as a share of the way to the linearised boundary.
    back
        What of a change that reaches the goal is kept.
    refine
        Queries at the end that shrink what was found.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 100
    starts: int = 1
    targets: int = 1
    pull: float = 0.1
    overshoot: float = 1.05
    back: float = 0.9
    refine: int = 3

    def __post_init__(self) -> None:
        if min(self.steps, self.starts, self.targets) < 1 or self.refine < 0:
            raise AttackError("FAB takes steps, starts and targets >= 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest = Smallest(task)
        order = task.ways(task.clean).sort(dim=1, descending=True).indices[:, : self.targets]
        single = self.targets == 1
        runs = self.starts * order.shape[1]
        for run in range(runs):
            start, rank = divmod(run, order.shape[1])
            self._run(task, smallest, None if single else order[:, rank], start > 0, run, runs)
        return smallest.values

    def _run(self, task: Task, smallest: Smallest, way: Tensor | None, away: bool, run: int, runs: int) -> None:
        norm: Norm = "L1" if task.budget.norm == "L0" else task.budget.norm
        values = task.clean.clone()
        if away:
            offset = task.budget.sample(task.clean, task.rng)
            size = torch.where(smallest.found, smallest.size, task.budget.epsilon)
            values = task.allow(values + 0.5 * offset * ball.wide(size / task.budget.epsilon, values))
        for count in range(self.steps):
            task.report(run * self.steps + count, runs * self.steps)
            here = task.nearest(values)
            margin, height, gradient = task.ascent(here, "margin" if way is None else way)
            success = smallest.see(here, margin)
            kept = task.clean + self.back * (here - task.clean)
            values = torch.where(ball.wide(success, values), kept, here)
            gap = -(height + ((values - here) * gradient).flatten(1).sum(dim=1)) + SURE
            first = to_plane(task, values, gradient, gap, norm)
            gap_clean = gap + ((values - task.clean) * gradient).flatten(1).sum(dim=1)
            second = to_plane(task, task.clean, gradient, gap_clean, norm)
            near, far = ball.size(first, norm), ball.size(second, norm)
            share = ball.wide((near / (near + far).clamp_min(1e-30)).clamp_max(self.pull), values)
            values = task.allow(
                (1 - share) * (values + self.overshoot * first) + share * (task.clean + self.overshoot * second)
            )
        smallest.refine(self.refine)

"""Fast adaptive boundary (FAB), Croce and Hein 2019, https://arxiv.org/abs/1907.02044."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.plane import to_plane
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.ball import Norm
from napari_medadv.threat.goal import NO_WAY, known


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
        How many ways of reaching the goal are tried in turn, the nearest first; with 1 each step goes the one whose
        linearised boundary is nearest.
    ways
        Among how many that is looked for.
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
    ways: int = 9
    pull: float = 0.1
    overshoot: float = 1.05
    back: float = 0.9
    refine: int = 3

    def __post_init__(self) -> None:
        if min(self.steps, self.starts, self.targets, self.ways) < 1 or self.refine < 0:
            raise AttackError("FAB takes steps, starts, targets and ways >= 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest, heights = Smallest(task), task.ways(task.clean)
        order = heights.sort(dim=1, descending=True).indices
        if self.targets == 1:
            routes: list[Callable[[Tensor], Loss | Tensor]] = [_nearest(task, order[:, : self.ways], heights)]
        else:
            routes = [_fixed(order[:, rank]) for rank in range(min(self.targets, known(heights)))]
        runs = self.starts * len(routes)
        for run in range(runs):
            start, rank = divmod(run, len(routes))
            self._run(task, smallest, routes[rank], start > 0, run, runs)
        return smallest.values

    def _run(
        self,
        task: Task,
        smallest: Smallest,
        route: Callable[[Tensor], Loss | Tensor],
        away: bool,
        run: int,
        runs: int,
    ) -> None:
        norm = _norm(task)
        values = task.clean.clone()
        if away:
            offset = task.budget.sample(task.clean, task.rng)
            size = torch.where(smallest.found, smallest.size, task.budget.epsilon)
            values = task.allow(values + 0.5 * offset * ball.wide(size / task.budget.epsilon, values))
        for count in range(self.steps):
            task.report(run * self.steps + count, runs * self.steps)
            here = task.nearest(values)
            margin, height, gradient = task.ascent(here, route(here))
            success = smallest.see(here, margin)
            # From the values and not from the stored ones, or a step of less than half a level would never be made.
            kept = task.clean + torch.where(ball.wide(success, values), self.back, 1.0) * (values - task.clean)
            gap = -(height + ((kept - values) * gradient).flatten(1).sum(dim=1)) + SURE
            values = kept
            first = to_plane(task, values, gradient, gap, norm)
            gap_clean = gap + ((values - task.clean) * gradient).flatten(1).sum(dim=1)
            second = to_plane(task, task.clean, gradient, gap_clean, norm)
            near, far = ball.size(first, norm), ball.size(second, norm)
            share = ball.wide((near / (near + far).clamp_min(1e-30)).clamp_max(self.pull), values)
            values = task.allow(
                (1 - share) * (values + self.overshoot * first) + share * (task.clean + self.overshoot * second)
            )
        smallest.lengthen(values - task.clean)
        smallest.refine(self.refine)


def _norm(task: Task) -> Norm:
    return "L1" if task.budget.norm == "L0" else task.budget.norm


def _fixed(way: Tensor) -> Callable[[Tensor], Loss | Tensor]:
    return lambda here: way


def _nearest(task: Task, order: Tensor, heights: Tensor) -> Callable[[Tensor], Loss | Tensor]:
    """Which way's boundary is nearest at given values, were each way as steep there as at the clean image."""
    if bool(((heights > NO_WAY).sum(dim=1) <= 1).all()):
        return lambda here: "margin"
    steep = torch.zeros_like(heights)
    for way in order.unbind(dim=1):
        _, _, gradient = task.ascent(task.clean, way)
        there = heights.gather(1, way[:, None]) > NO_WAY
        steep.scatter_(1, way[:, None], ball.dual(gradient, _norm(task))[:, None] * there)
    return lambda here: torch.where(steep > 0, task.ways(here).abs() / steep, torch.inf).argmin(dim=1)

"""Sparse-RS, Croce, Andriushchenko, Singh, Flammarion and Hein 2020, https://arxiv.org/abs/2006.12834."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class SparseRS:
    """A set of voxels at extreme values, some of which are exchanged in each query; kept where the margin rises.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    voxels
        How many change where the budget counts none; an L0 budget says it itself.
    share
        What share of the set is exchanged at first; it shrinks as queries are spent.
    confidence
        An entry rests once its margin exceeds this, in logits.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    queries: int = 1000
    voxels: int = 50
    share: float = 0.3
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.queries < 2 or self.voxels < 1 or not 0 < self.share <= 1:
            raise AttackError(
                f"Sparse-RS takes queries >= 2, voxels >= 1 and a share of at most 1, not {self.queries}, {self.voxels} and "
                f"{self.share:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met."""
        best = Best(task, self.confidence)
        count = int(task.budget.epsilon) if task.budget.norm == "L0" else self.voxels
        free = task.grid.free.any(dim=1, keepdim=True)
        chosen = _pick(free, count, task)
        values = self._colours(task)
        for query in range(self.queries):
            if best.done:
                break
            part = best.part
            part.report(query, self.queries)
            trial, colours = chosen, values
            if query:
                exchanged = max(1, round(count * self.share * _schedule(query / self.queries)))
                free = part.grid.free.any(dim=1, keepdim=True)
                left = _pick(chosen, exchanged, part)
                came = _pick(free & ~chosen, exchanged, part)
                came = torch.where(came.flatten(1).any(dim=1).view(-1, 1, 1, 1, 1), came, left)
                trial = (chosen & ~left) | came
                colours = torch.where(came, self._colours(part), values)
            here = part.stored(torch.where(trial, colours, part.clean))
            margin = part.margin(here)
            better = ball.wide(margin >= best.margin[best.active], here)
            chosen, values = torch.where(better, trial, chosen), torch.where(better, colours, values)
            keep = best.see(here, margin)
            if keep is not None:
                chosen, values = chosen[keep], values[keep]
        return best.values

    def _colours(self, task: Task) -> Tensor:
        low, high = extremes(task)
        bright = draw.signs(tuple(task.clean.shape), task.rng, task.clean) > 0
        return torch.where(bright, high, low)


def _schedule(spent: float) -> float:
    limits = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
    return 1.0 / (1 + sum(spent > limit for limit in limits))


def _pick(among: Tensor, count: int, task: Task) -> Tensor:
    """Random places, as many as `count` or as there are: bool, of the shape of `among`, (batch, 1, z, y, x)."""
    order = draw.uniform(tuple(among.shape), task.rng, task.clean) * among
    flat = order.flatten(1)
    places = flat.topk(min(count, flat.shape[1]), dim=1).indices
    return torch.zeros_like(flat, dtype=torch.bool).scatter(1, places, True).view_as(among) & among

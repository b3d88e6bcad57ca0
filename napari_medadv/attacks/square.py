"""Square attack, Andriushchenko, Croce, Flammarion and Hein 2019, https://arxiv.org/abs/1912.00049."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.cube import hold, kept
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class Square:
    """Random squares (cubes in a volume) at the edge of the budget, kept where they raise the margin.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    share
        What share of the image the first squares cover; it shrinks as queries are spent.
    confidence
        An entry rests once its margin exceeds this, in logits.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    queries: int = 1000
    share: float = 0.8
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.queries < 2 or not 0 < self.share <= 1:
            raise AttackError(
                f"Square takes queries >= 2 and a share of at most 1, not {self.queries} and {self.share:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met."""
        best = Best(task, self.confidence)
        shape = task.clean.shape
        stripes = draw.signs((shape[0], shape[1], shape[2], 1, shape[4]), task.rng, task.clean).expand(shape)
        if task.budget.norm == "Linf":
            self._paint(best, stripes)
        else:
            self._shift(best, stripes)
        return best.values

    def _paint(self, best: Best, stripes: Tensor) -> None:
        """Where each voxel has an edge of its own, a query touches the voxels of its square and no other."""
        task, held = best.task, hold(best.task)
        low, high = (held.stored(task.clean + way * task.budget.epsilon) for way in (-1, 1))
        here = torch.where(stripes > 0, high, low)
        keep = best.see(here, task.margin(here))
        if keep is not None:
            here, low, high = here[keep], low[keep], high[keep]
        for count in range(1, self.queries):
            if best.done:
                return
            part = best.part
            part.report(count, self.queries)
            places = draw.corners(part.clean, self._side(part.clean, count), task.rng)
            colours = draw.signs((len(part), here.shape[1], 1, 1, 1), task.rng, here).flatten(1).tolist()
            before = []
            for row, ((z, y, x), colour) in enumerate(zip(places, colours, strict=True)):
                before.append(here[row, :, z, y, x].clone())
                for channel, sign in enumerate(colour):
                    here[row, channel, z, y, x] = (high if sign > 0 else low)[row, channel, z, y, x]
            margin = part.margin(here)
            better = margin > best.margin[best.active]
            for row in (~better).nonzero().flatten().tolist():
                z, y, x = places[row]
                here[row, :, z, y, x] = before[row]
            stood = best.active
            best.margin[stood[better]] = margin[better]
            keep = best.rest()
            if keep is not None:
                best.values[stood] = here
                here, low, high = here[keep], low[keep], high[keep]
        best.values[best.active] = here

    def _shift(self, best: Best, stripes: Tensor) -> None:
        """Where the edge is one of all voxels, a square takes from the others."""
        task, held, shape = best.task, hold(best.task), best.task.clean.shape
        delta = self._edge(task, stripes * self._level(task))
        here = held.stored(task.clean + delta)
        keep = best.see(here, task.margin(here))
        if keep is not None:
            delta, held = delta[keep], kept(held, best.part, keep)
        for count in range(1, self.queries):
            if best.done:
                return
            part = best.part
            part.report(count, self.queries)
            window = draw.windows(part.clean, self._side(part.clean, count), task.rng)
            colour = draw.signs((len(part), shape[1], 1, 1, 1), task.rng, part.clean)
            trial = self._edge(part, torch.where(window, colour * self._level(part), delta))
            here = held.stored(part.clean + trial)
            margin = part.margin(here)
            better = margin > best.margin[best.active]
            if bool(better.any()):
                delta = torch.where(ball.wide(better, trial), trial, delta)
            keep = best.see(here, margin)
            if keep is not None:
                delta, held = delta[keep], kept(held, best.part, keep)

    def _side(self, values: Tensor, count: int) -> int:
        """The side of the squares, by the schedule of the paper (which is for 10000 queries)."""
        spent = count / self.queries * 10000
        halvings = sum(spent > limit for limit in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))
        share = self.share / 2**halvings
        sides = [length for length in values.shape[2:] if length > 1] or [1]
        area = 1.0
        for length in sides:
            area *= length
        side: int = max(1, min(round((share * area) ** (1 / len(sides))), min(sides)))
        return side

    def _level(self, task: Task) -> float:
        """What one voxel changes by, before the change is put to the edge of the budget."""
        count = float(task.clean[0].numel())
        return task.budget.epsilon / math.sqrt(count)

    def _edge(self, task: Task, delta: Tensor) -> Tensor:
        """The change put to the edge of the budget."""
        delta = delta * task.grid.free
        return delta * ball.wide(task.budget.epsilon / task.budget.size(delta).clamp_min(1e-30), delta)

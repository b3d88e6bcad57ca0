"""One-pixel and few-pixel attack by differential evolution, Su, Vargas and Sakurai 2017, https://arxiv.org/abs/1710.08864."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class FewPixel:
    """One voxel is tried, then two, three, five, eight, ... until it works: the result says how many are needed.

    Attributes
    ----------
    queries
        How often each entry may be classified, in all.
    voxels
        The most that are tried; an L0 budget may say less.
    population
        Candidates of each generation.
    weight
        How far a candidate moves along the difference of two others.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    queries: int = 4000
    voxels: int = 21
    population: int = 40
    weight: float = 0.5

    def __post_init__(self) -> None:
        if self.population < 4 or self.voxels < 1 or self.queries < self.population:
            raise AttackError(
                f"The few-pixel attack takes a population of at least 4 and as many queries, not {self.population} and {self.queries}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The stored values with the fewest changed voxels that reach the goal."""
        smallest = Smallest(task)
        most = min(self.voxels, int(task.budget.epsilon)) if task.budget.norm == "L0" else self.voxels
        sizes = [1, 2]
        while sizes[-1] + sizes[-2] <= most:
            sizes.append(sizes[-1] + sizes[-2])
        sizes = sorted({min(size, most) for size in [*sizes, most]})
        active = torch.arange(len(task), device=task.clean.device)
        spent = 0
        for place, size in enumerate(sizes):
            end = self.queries * (place + 1) // len(sizes)
            generations = max((end - spent) // self.population, 0)
            spent += generations * self.population
            _Evolution(task, smallest, active, size, self).run(generations, place / len(sizes), 1 / len(sizes))
            active = active[~smallest.found[active]]
            if not len(active):
                break
        return smallest.values


class _Evolution:
    """The candidates of one number of voxels: genes are place (z, y, x) and values, all from 0 to 1."""

    def __init__(self, task: Task, smallest: Smallest, active: Tensor, voxels: int, settings: FewPixel) -> None:
        self.task, self.smallest, self.active, self.settings = task, smallest, active, settings
        genes = (len(active), settings.population, voxels, 3 + task.clean.shape[1])
        self.genes = draw.uniform(genes, task.rng, task.clean)
        self.margin = torch.full(genes[:2], -torch.inf, device=task.clean.device)
        free = task.grid.free.any(dim=1)
        boxes = []
        for axis in (1, 2, 3):
            line = free.any(dim=[other for other in (1, 2, 3) if other != axis])
            length = line.shape[1]
            first = line.int().argmax(dim=1)
            boxes.append(torch.stack([first, length - line.flip(1).int().argmax(dim=1) - first], dim=1))
        self.boxes = torch.stack(boxes, dim=1)

    def run(self, generations: int, start: float, share: float) -> None:
        for count in range(generations):
            self.task.tally.pulse(start + share * count / generations)
            self._try(self.genes if count == 0 else self._offspring())
            keep = (~self.smallest.found[self.active]).nonzero().flatten()
            self.active, self.genes, self.margin = self.active[keep], self.genes[keep], self.margin[keep]
            if not len(keep):
                return

    def _offspring(self) -> Tensor:
        entries, population = self.margin.shape
        ranks = draw.uniform((entries, population, population), self.task.rng, self.task.clean)
        parents = ranks.topk(3, dim=2).indices
        rows = torch.arange(entries, device=parents.device)[:, None]
        first, second, third = (self.genes[rows, parents[:, :, place]] for place in range(3))
        child = first + self.settings.weight * (second - third)
        fresh = draw.uniform(tuple(child.shape), self.task.rng, self.task.clean)
        return torch.where((child < 0) | (child > 1), fresh, child)

    def _try(self, genes: Tensor) -> None:
        part = self.task.take(self.active)
        for member in range(genes.shape[1]):
            here = part.nearest(part.allow(self._express(part, genes[:, member])))
            margin = part.margin(here)
            self.smallest.see(here, margin, self.active)
            better = margin > self.margin[:, member]
            self.margin[:, member] = torch.where(better, margin, self.margin[:, member])
            self.genes[:, member] = torch.where(better[:, None, None], genes[:, member], self.genes[:, member])
            if bool((self.margin.amax(dim=1) > SURE).all()):
                return

    def _express(self, part: Task, genes: Tensor) -> Tensor:
        """The clean values with the voxels of these genes, (batch, voxel, 3 + channel), put in."""
        low, high = extremes(part)
        box = self.boxes[self.active]
        places = box[:, None, :, 0] + (genes[..., :3] * box[:, None, :, 1]).floor().clamp_max(box[:, None, :, 1] - 1)
        z, y, x = places.long().unbind(dim=2)
        found = part.clean.clone()
        rows = torch.arange(len(found), device=found.device)[:, None].expand_as(z)
        span = (high - low).view(-1, 1, 1)
        found[rows, :, z, y, x] = low.view(-1, 1, 1) + genes[..., 3:] * span
        return found

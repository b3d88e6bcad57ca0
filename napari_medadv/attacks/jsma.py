"""Saliency map attack (JSMA), Papernot et al. 2015, https://arxiv.org/abs/1511.07528."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class JSMA:
    """Voxel after voxel goes to its brightest or darkest, the one first that the gradient says is worth most.

    Attributes
    ----------
    voxels
        How many may change; an L0 budget says it itself.
    each
        How many change in a step.
    refine
        Queries at the end that spare what voxels they can.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    voxels: int = 100
    each: int = 1
    refine: int = 6

    def __post_init__(self) -> None:
        if self.voxels < 1 or self.each < 1 or self.refine < 0:
            raise AttackError("JSMA takes voxels and each >= 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The stored values with the fewest changed voxels met that reach the goal."""
        smallest = Smallest(task)
        most = int(task.budget.epsilon) if task.budget.norm == "L0" else self.voxels
        steps = -(-most // self.each)
        values, active = task.clean.clone(), torch.arange(len(task), device=task.clean.device)
        changed = torch.zeros((len(task), 1, *task.clean.shape[2:]), dtype=torch.bool, device=task.clean.device)
        for count in range(steps + 1):
            part = task.take(active)
            part.report(count, steps + 1)
            here = part.nearest(values[active])
            if count == steps:
                smallest.see(here, part.margin(here), active)
                break
            margin, gradient = part.gradient(here, "margin")
            success = smallest.see(here, margin, active)
            low, high = extremes(part)
            goal = torch.where(gradient > 0, high, low)
            worth = (gradient * (goal - here)).clamp_min(0).sum(dim=1, keepdim=True)
            worth = worth.masked_fill(changed[active], 0).flatten(1)
            places = worth.topk(min(self.each, worth.shape[1]), dim=1).indices
            chosen = torch.zeros_like(worth, dtype=torch.bool).scatter(1, places, True) & (worth > 0)
            chosen = chosen.view(len(active), 1, *here.shape[2:])
            values[active] = part.allow(torch.where(chosen, goal, values[active]))
            changed[active] |= chosen
            active = active[~success & chosen.flatten(1).any(dim=1) | (~success & (margin > SURE))]
            if not len(active):
                break
        smallest.refine(self.refine)
        return smallest.values

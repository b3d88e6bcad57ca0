"""SuperDeepFool, Abdolahpourrostam, Abroshan and Moosavi-Dezfooli 2023, https://arxiv.org/abs/2303.12481."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.deepfool import to_boundary
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class SuperDeepFool:
    """DeepFool to the boundary, then back onto the boundary's normal through the clean image, in turns.

    Attributes
    ----------
    rounds
        How often, at most.
    steps
        DeepFool steps of each round, at most.
    ways
        How many ways of reaching the goal are linearised: the nearest ones.
    refine
        Queries at the end that shrink what was found.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2",)

    rounds: int = 8
    steps: int = 20
    ways: int = 3
    refine: int = 10

    def __post_init__(self) -> None:
        if min(self.rounds, self.steps, self.ways) < 1 or self.refine < 0:
            raise AttackError("SuperDeepFool takes rounds, steps and ways >= 1, and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        smallest = Smallest(task)
        values = task.clean.clone()
        active = torch.arange(len(task), device=values.device)
        for count in range(self.rounds):
            task.report(count, self.rounds + 1)
            part = task.take(active)
            across = to_boundary(part, values[active], steps=self.steps, ways=self.ways, overshoot=0.0)
            here = part.nearest(across)
            smallest.see(here, part.margin(here), active)
            margin, gradient = part.gradient(across, "margin")
            flat, way = gradient.flatten(1), (across - part.clean).flatten(1)
            share = (way * flat).sum(dim=1, keepdim=True) / flat.square().sum(dim=1, keepdim=True).clamp_min(1e-30)
            back = part.allow(part.clean + (share * flat).view_as(across))
            here = part.nearest(back)
            margin = part.margin(here)
            smallest.see(here, margin, active)
            values[active] = back
            active = active[margin <= SURE]
            if not len(active):
                break
        smallest.lengthen(values - task.clean)
        smallest.refine(self.refine)
        return smallest.values

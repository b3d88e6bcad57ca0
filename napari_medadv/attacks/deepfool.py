"""DeepFool, Moosavi-Dezfooli, Fawzi and Frossard 2015, https://arxiv.org/abs/1511.04599."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.plane import to_plane
from napari_medadv.attacks.smallest import SURE, along
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball
from napari_medadv.threat.ball import Norm


@dataclass(frozen=True, slots=True)
class DeepFool:
    """Again and again to the nearest boundary of the linearised classifier.

    Attributes
    ----------
    steps
        At most so many.
    ways
        How many ways of reaching the goal are linearised: the nearest ones.
    overshoot
        How far beyond the boundary, as a share of the way.
    refine
        Queries at the end that shrink what was found.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf", "L1")

    steps: int = 50
    ways: int = 9
    overshoot: float = 0.02
    refine: int = 8

    def __post_init__(self) -> None:
        if self.steps < 1 or self.ways < 1 or self.overshoot < 0 or self.refine < 0:
            raise AttackError("DeepFool takes steps >= 1, ways >= 1, overshoot >= 0 and refine >= 0.")

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values found on the way to the nearest boundary."""
        values = to_boundary(
            task, task.clean, norm=task.budget.norm, steps=self.steps, ways=self.ways, overshoot=self.overshoot
        )
        return along(task, values - task.clean, self.refine).values


def to_boundary(
    task: Task, values: Tensor, *, norm: Norm = "L2", steps: int = 50, ways: int = 9, overshoot: float = 0.02
) -> Tensor:
    """Values beyond the boundary that is nearest to `values`; an entry that crosses it rests.

    Parameters
    ----------
    task
        Whom to fool.
    values
        float32, (batch, channel, z, y, x): where to start.
    norm
        What nearest means; L0 counts voxels.
    steps, ways, overshoot
        As for `DeepFool`.
    """
    found, origin = values.clone(), values
    active = torch.arange(len(values), device=values.device)
    for count in range(steps):
        part, here = task.take(active), found[active]
        part.report(count, steps)
        distances = part.ways(here)
        stand = (distances.amax(dim=1) <= SURE).nonzero().flatten()
        if not len(stand):
            break
        part, here, active = part.take(stand), here[stand], active[stand]
        best_gap = torch.full((len(stand),), torch.inf, device=values.device)
        best_move = torch.zeros_like(here)
        order = distances[stand].sort(dim=1, descending=True)
        for rank in range(min(ways, order.indices.shape[1])):
            _, height, gradient = part.ascent(here, order.indices[:, rank])
            move = to_plane(part, here, gradient, SURE - height, norm)
            gained = (move * gradient).flatten(1).sum(dim=1) / (SURE - height)
            gap = torch.where(gained > 0, ball.size(move, norm) / gained.clamp(1e-9, 1), torch.inf)
            nearer = gap < best_gap
            best_gap = torch.where(nearer, gap, best_gap)
            best_move = torch.where(ball.wide(nearer, here), move, best_move)
        straight = here + best_move
        ahead = origin[active] + (1 + overshoot) * (straight - origin[active])
        found[active] = part.allow(ahead)
    return found

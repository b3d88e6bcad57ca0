"""Random noise within the budget: the control without which no attack's figure means anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class Noise:
    """The best of some random perturbations: with one draw, plain noise.

    Attributes
    ----------
    draws
        How many are tried; the one with the highest margin is kept.
    kind
        "sign" puts every voxel at the edge of the budget, the largest change that it allows; "uniform" fills it.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "nothing"
    aim: ClassVar[Aim] = "control"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1", "L0")

    draws: int = 1
    kind: Literal["sign", "uniform"] = "sign"

    def __post_init__(self) -> None:
        if self.draws < 1 or self.kind not in ("sign", "uniform"):
            raise AttackError(
                f"Noise takes draws >= 1 and kind 'sign' or 'uniform', not {self.draws} and {self.kind!r}."
            )

    def __call__(self, task: Task) -> Tensor:
        """Noisy values."""
        best, best_margin = task.clean, torch.full((len(task.clean),), -torch.inf, device=task.clean.device)
        for count in range(self.draws):
            delta = _drawn(task)
            if self.kind == "sign":
                delta = task.budget.epsilon * task.budget.steepest(delta)
            values = task.admit(task.clean + delta)
            if self.draws == 1:
                best = values
            else:
                margin = task.margin(task.stored(values))
                best = torch.where((margin > best_margin).view(-1, 1, 1, 1, 1), values, best)
                best_margin = torch.maximum(margin, best_margin)
            task.report(count + 1, self.draws)
        return best


def _drawn(task: Task) -> Tensor:
    """A random change within the budget, and as large in the region as it would be in the whole image."""
    if task.grid.all_free or task.budget.norm == "Linf":
        return task.budget.sample(task.clean, task.rng)
    if task.budget.norm == "L0":
        where = draw.uniform((len(task), 1, *task.clean.shape[2:]), task.rng, task.clean)
        count = torch.full((len(task),), task.budget.epsilon, device=where.device)
        chosen = ball.largest(where * task.grid.free.any(dim=1, keepdim=True), count)
        noise = 2 * draw.uniform(tuple(task.clean.shape), task.rng, task.clean) - 1
        return task.budget.project(noise * task.contrast * chosen)
    whole = task.budget.sample(task.clean, task.rng)
    inside = whole * task.grid.free
    return inside * ball.wide(task.budget.size(whole) / task.budget.size(inside).clamp_min(1e-30), inside)

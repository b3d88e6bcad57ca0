"""Random noise within the budget: the control without which no attack's figure means anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


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
        for draw in range(self.draws):
            delta = task.budget.sample(task.clean, task.rng)
            if self.kind == "sign":
                delta = task.budget.epsilon * task.budget.steepest(delta)
            values = task.admit(task.clean + delta)
            if self.draws == 1:
                best = values
            else:
                margin = task.margin(task.stored(values))
                best = torch.where((margin > best_margin).view(-1, 1, 1, 1, 1), values, best)
                best_margin = torch.maximum(margin, best_margin)
            task.report(draw + 1, self.draws)
        return best

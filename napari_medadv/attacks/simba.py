"""Simple black-box attack (SimBA), Guo, Gardner, You, Wilson and Weinberger 2019, https://arxiv.org/abs/1905.07121."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class SimBA:
    """One direction after the other, there or back, kept where the margin rises.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    basis
        A direction is a low-frequency "cosine" pattern or a single "voxel".
    low
        The highest frequency, as a share of the highest there is.
    step
        Length of a step as a share of epsilon.
    confidence
        An entry rests once its margin exceeds this, in logits.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    queries: int = 1000
    basis: Literal["cosine", "voxel"] = "cosine"
    low: float = 0.5
    step: float = 0.3
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.queries < 3 or not 0 < self.low <= 1 or not self.step > 0:
            raise AttackError(
                f"SimBA takes queries >= 3, low between 0 and 1, and step > 0, not {self.queries}, {self.low:g} and {self.step:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met."""
        best, values = Best(task, self.confidence), task.clean
        keep = best.see(values, task.margin(values))
        values = values if keep is None else values[keep]
        for count in range((self.queries - 1) // 2):
            for side in (1.0, -1.0):
                if best.done:
                    return best.values
                part = best.part
                part.report(2 * count + 1, self.queries)
                if side > 0:
                    direction = self._direction(part)
                trial = part.admit(values + side * self.step * part.budget.epsilon * direction)
                here = part.stored(trial)
                margin = part.margin(here)
                better = ball.wide(margin > best.margin[best.active], trial)
                values = torch.where(better, trial, values)
                direction = torch.where(better, 0.0, direction)
                keep = best.see(here, margin)
                if keep is not None:
                    values, direction = values[keep], direction[keep]
        return best.values

    def _direction(self, task: Task) -> Tensor:
        if self.basis == "cosine":
            found = draw.cosine_pattern(task.clean, self.low, task.rng) * task.grid.free
        else:
            order = draw.uniform(tuple(task.clean.shape), task.rng, task.clean) * task.grid.free
            found = (order == order.flatten(1).amax(dim=1).view(-1, 1, 1, 1, 1)).to(task.clean)
        return found / ball.wide(task.budget.size(found).clamp_min(1e-30), found)

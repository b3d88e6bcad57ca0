"""Projected gradient descent (PGD), Madry et al. 2017, https://arxiv.org/abs/1706.06083."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class PGD:
    """Steps of steepest ascent, each projected back; classified and judged at what would be stored.

    Attributes
    ----------
    steps
        Steps of each start.
    step
        Length of a step as a share of epsilon; Finlayson et al. 2018 take 0.5.
    starts
        How many starts; an entry that rests takes no further one.
    start
        "random" within the budget, or at the "clean" image.
    confidence
        An entry rests once its margin exceeds this, in logits; `inf` drives on to the last step.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True

    steps: int = 40
    step: float = 0.125
    starts: int = 1
    start: Literal["random", "clean"] = "random"
    confidence: float = 0.05
    loss: Literal["cross-entropy", "margin"] = "cross-entropy"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.starts < 1 or not self.step > 0:
            raise AttackError(
                f"PGD takes steps >= 1, starts >= 1 and step > 0, not {self.steps}, {self.starts} and {self.step:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = task.clean.clone()
        best_margin = torch.full((len(best),), -torch.inf, device=best.device)
        total = self.starts * (self.steps + 1)
        for start in range(self.starts):
            active = (best_margin <= self.confidence).nonzero().flatten()
            if not len(active):
                break
            offset = (
                task.threat.budget.sample(task.clean, task.rng)
                if self.start == "random"
                else torch.zeros_like(task.clean)
            )
            values = task.admit(task.clean + offset)
            for step in range(self.steps + 1):
                part = task.take(active)
                here = part.stored(values[active])
                if step < self.steps:
                    margin, gradient = part.gradient(here, self.loss)
                else:
                    margin, gradient = part.margin(here), torch.zeros_like(here)
                task.spend(part)
                better = margin > best_margin[active]
                best[active[better]] = here[better]
                best_margin[active[better]] = margin[better]
                move = self.step * task.threat.budget.epsilon * task.threat.budget.steepest(gradient)
                values[active] = part.admit(values[active] + move)
                active = active[margin <= self.confidence]
                task.report(start * (self.steps + 1) + step + 1, total)
                if not len(active):
                    break
        return best

"""Projected gradient descent (PGD), Madry et al. 2017, https://arxiv.org/abs/1706.06083."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Plain, climb
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic


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
    arithmetic
        Of the network in the gradients; "auto" takes bfloat16 where it is faster on this machine, and the result and
        its record say which it was. Decisions are float32 all the same.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 40
    step: float = 0.125
    starts: int = 1
    start: Literal["random", "clean"] = "random"
    confidence: float = 0.05
    loss: Loss = "cross-entropy"
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.starts < 1 or not self.step > 0:
            raise AttackError(
                f"PGD takes steps >= 1, starts >= 1 and step > 0, not {self.steps}, {self.starts} and {self.step:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence, rough=self.confidence == torch.inf and self.arithmetic != "float32")
        for count in range(self.starts):
            if best.done:
                break
            here = best.part.clean
            offset = (
                task.budget.sample(task.clean, task.rng)[best.active]
                if self.start == "random"
                else torch.zeros_like(here)
            )
            climb(
                best,
                best.part.admit(here + offset),
                Plain(best, self.loss, self.arithmetic),
                steps=self.steps,
                step=self.step,
                done=count * (self.steps + 1),
                total=self.starts * (self.steps + 1),
            )
        return best.values

"""Momentum iterative FGSM (MI-FGSM), Dong et al. 2017, https://arxiv.org/abs/1710.06081."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Momentum, climb, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class MIFGSM:
    """Steps along the remembered gradients: they transfer better to a classifier that was not seen.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of epsilon.
    decay
        What of the older gradients is kept at each step.
    confidence
        An entry rests once its margin exceeds this, in logits; `inf` drives on, which transfers better.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 10
    step: float = 0.2
    decay: float = 1.0
    confidence: float = float("inf")
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        rule = Momentum(self.decay, self.look)
        climb(best, task.clean, rule, (torch.zeros_like(task.clean),), steps=self.steps, step=self.step)
        return best.values

    def look(self, task: Task, here: Tensor) -> tuple[Tensor, Tensor]:
        """Margin and gradient."""
        return task.gradient(here, self.loss)

"""Universal perturbation, Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1610.08401, by ascent on all images at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.climb import levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Aim, Knowledge, Task


@dataclass(frozen=True, slots=True)
class Universal:
    """One and the same perturbation for all slices (or all images of a batch).

    Attributes
    ----------
    steps
        Passes over all images.
    step
        Length of a step as a share of epsilon.
    decay
        What of the older gradients is kept at each step.
    confidence
        An image pulls no more once its margin exceeds this, in logits.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "several images"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")
    jointly: ClassVar[bool] = True

    steps: int = 40
    step: float = 0.1
    decay: float = 0.9
    confidence: float = 0.5
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The clean values plus the perturbation that fools most of them."""
        delta, total = torch.zeros_like(task.clean[:1]), torch.zeros_like(task.clean[:1])
        best, score = task.clean, -torch.inf
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            values = task.admit(task.clean + delta)
            here = task.stored(values)
            if count < self.steps:
                margin, gradient = task.gradient(here, self.loss)
            else:
                margin, gradient = task.margin(here), torch.zeros_like(here)
            worth = float((margin > 0).float().sum()) + float(torch.tanh(margin).mean())
            if worth > score:
                best, score = here, worth
            pull = levelled(gradient) * (margin <= self.confidence).view(-1, 1, 1, 1, 1)
            total = self.decay * total + pull.mean(dim=0, keepdim=True)
            delta = task.budget.project(delta + self.step * task.budget.epsilon * task.budget.steepest(total))
        return best

"""Variance tuning (VMI-FGSM), Wang and He 2021, https://arxiv.org/abs/2103.15571."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Memory, climb, levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class VMIFGSM:
    """MI-FGSM whose gradients are corrected by how much they vary nearby.

    Attributes
    ----------
    steps, step, decay, confidence, loss
        As for `mi_fgsm`.
    samples
        How many neighbours are looked at in each step.
    radius
        How far they lie, as a share of the budget.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 10
    step: float = 0.2
    decay: float = 1.0
    samples: int = 5
    radius: float = 1.5
    confidence: float = float("inf")
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        memory = (torch.zeros_like(task.clean), torch.zeros_like(task.clean))
        climb(best, task.clean, self.rule, memory, steps=self.steps, step=self.step)
        return best.values

    def rule(self, task: Task, here: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Memory]:
        """Margin, direction, and (the sum of gradients, the variance of the last)."""
        total, variance = memory
        margin, gradient = task.gradient(here, self.loss)
        total = self.decay * total + levelled(gradient + variance)
        nearby = torch.zeros_like(gradient)
        for _ in range(self.samples):
            offset = self.radius * task.budget.sample(here, task.rng)
            nearby += task.gradient(task.allow(here + offset), self.loss)[1]
        return margin, total, (total, nearby / self.samples - gradient)

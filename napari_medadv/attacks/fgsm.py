"""Fast gradient sign method (FGSM), Goodfellow, Shlens and Szegedy 2014, https://arxiv.org/abs/1412.6572."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class FGSM:
    """One step of the whole budget along the steepest ascent."""

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1", "L0")

    loss: Loss = "cross-entropy"

    def __call__(self, task: Task) -> Tensor:
        """The clean values plus one step."""
        _, gradient = task.gradient(task.clean, self.loss)
        task.report(1, 1)
        return task.admit(task.clean + task.budget.epsilon * task.budget.steepest(gradient))

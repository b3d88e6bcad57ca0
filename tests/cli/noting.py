"""A private attack that leaves a warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks import Task


@dataclass(frozen=True, slots=True)
class Noting:
    """Everything darker by the whole budget, and a word on it."""

    needs_gradient: ClassVar[bool] = False

    def __call__(self, task: Task) -> Tensor:
        """Darker values."""
        task.note("The gradient is zero for 1 of 4 inputs.")
        return task.clean - task.threat.budget.epsilon

"""Attack: the seam that every attack is made to, and what the catalogue tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from napari_medadv.attacks.task import Task

Knowledge = Literal["gradient", "score", "decision", "surrogate", "nothing"]
"""What an attack learns of the classifier: its gradient, its scores, its decision only, another classifier, or nothing."""

Aim = Literal["fixed budget", "minimum norm", "several images", "ensemble", "control"]
"""What an attack looks for: the worst within the budget, the smallest change that works, one change for many images."""


class Attack(Protocol):
    """A way to find a perturbation: settings are its fields, its `repr` is the record of the run.

    Given a task, it returns values of the shape of `task.clean`; they need not be stored integers, and its word is
    not taken for success. It calls `task.report` once a step. What the catalogue tells of it are class variables:
    `needs_gradient`, `knowledge`, `aim`, `norms` (the budgets it is made for; it runs under any), and, where all
    slices must be seen together, `jointly`, and, where settings name files that it reads, `files`, their names.
    """

    def __call__(self, task: Task) -> Tensor:
        """Adversarial values, float32, (batch, channel, z, y, x), in the unit of the volume."""
        ...

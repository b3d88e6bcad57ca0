"""Task: all that an attack may see or do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from napari_medadv.attacks.grid import Grid
from napari_medadv.errors import ModelError
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake
from napari_medadv.progress import Progress
from napari_medadv.threat import Threat


class Attack(Protocol):
    """A way to find a perturbation: settings are its fields, its `repr` is the record of the run.

    Given a task, it returns values of the shape of `task.clean`; they need not be stored integers, and its word is
    not taken for success. It calls `task.report` once a step.
    """

    def __call__(self, task: Task) -> Tensor:
        """Adversarial values, float32, (batch, channel, z, y, x), in the unit of the volume."""
        ...


@dataclass(slots=True, eq=False)
class Task:
    """Some batch entries (slices, or one whole volume) to be perturbed under a threat.

    Attributes
    ----------
    classifier, intake
        Who is to be fooled, and how values reach it.
    clean
        float32, (batch, channel, z, y, x), in the unit of the volume.
    grid
        What can be stored.
    threat
        Goal, budget, region.
    decided
        bool, (batch, label): what is present in the clean series.
    rng
        The only source of randomness.
    progress
        Told once a step; raises `Cancelled`.
    lowest, highest
        float32, broadcastable to `clean`: the values that can be stored.
    queries, gradients
        How many inputs were classified, and for how many a gradient was taken.
    """

    classifier: Classifier
    intake: Intake
    clean: Tensor
    grid: Grid
    threat: Threat
    decided: Tensor
    rng: torch.Generator
    progress: Progress
    lowest: Tensor
    highest: Tensor
    queries: int = 0
    gradients: int = 0

    def logits(self, values: Tensor) -> Tensor:
        """Logits (batch, label) of `values`; each entry counts as a query."""
        self.queries += len(values)
        return self.classifier.logits(values, self.intake)

    def margin(self, values: Tensor) -> Tensor:
        """How far past the decision each entry is: (batch,), above zero means that the goal is reached."""
        with torch.no_grad():
            return self.threat.goal.margin(self.logits(values), self.classifier.findings, self.decided)

    def gradient(
        self, values: Tensor, loss: Literal["cross-entropy", "margin"] = "cross-entropy"
    ) -> tuple[Tensor, Tensor]:
        """The margin (batch,) at `values`, and the gradient of the loss that rises towards the goal, of their shape.

        Raises
        ------
        ModelError
            The gradient is not finite.
        """
        self.gradients += len(values)
        goal, findings = self.threat.goal, self.classifier.findings
        inputs = values.detach().requires_grad_(True)
        with torch.enable_grad():
            logits = self.logits(inputs)
            margin = goal.margin(logits, findings, self.decided)
            climbed = margin if loss == "margin" else goal.odds(logits, findings, self.decided)
            (found,) = torch.autograd.grad(climbed.sum(), inputs)
        if not bool(torch.isfinite(found).all()):
            raise ModelError(
                f"The gradient of {self.classifier.name} is NaN or infinite here: its preprocessing or network is not differentiable."
            )
        return margin.detach(), found * self.grid.free

    def admit(self, values: Tensor) -> Tensor:
        """The nearest values within budget, region and storable range."""
        delta = (values - self.clean) * self.grid.free
        return (self.clean + self.threat.budget.project(delta)).clamp(self.lowest, self.highest)

    def stored(self, values: Tensor) -> Tensor:
        """The values as a file would give them back: admitted and on the grid."""
        return self.clean + self.grid.snap(self.admit(values) - self.clean, self.threat.budget)

    def take(self, entries: Tensor) -> Task:
        """The task of the chosen batch entries (indices); its counters start at zero: add them with `spend`."""
        return Task(
            self.classifier,
            self.intake.take(entries),
            self.clean[entries],
            self.grid.take(entries),
            self.threat,
            self.decided[entries],
            self.rng,
            self.progress,
            self.lowest[entries] if len(self.lowest) > 1 else self.lowest,
            self.highest[entries] if len(self.highest) > 1 else self.highest,
        )

    def spend(self, other: Task) -> None:
        """Add what a part of this task has spent."""
        self.queries += other.queries
        self.gradients += other.gradients

    def report(self, step: int, steps: int) -> None:
        """Tell how far the attack is; stops it here when the person said so."""
        self.progress(min(step / max(steps, 1), 1.0), "attacking")

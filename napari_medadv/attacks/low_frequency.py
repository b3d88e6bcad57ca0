"""Low-frequency attack, Guo, Frank and Weinberger 2018, https://arxiv.org/abs/1809.08758: smooth, and alike from slice to slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.climb import levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.smooth import smooth
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class LowFrequency:
    """Ascent on a perturbation that is smoothed along z, y and x, so that it looks like no noise and has no stripes.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of epsilon.
    sigma
        Width of the smoothing in a slice, in mm.
    sigma_z
        Width of the smoothing from slice to slice, in mm; 0 leaves slices alone.
    confidence
        No further step is taken once all margins exceed this, in logits.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")
    jointly: ClassVar[bool] = True

    steps: int = 40
    step: float = 0.1
    sigma: float = 2.0
    sigma_z: float = 2.0
    confidence: float = 0.05
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        raw = torch.zeros_like(task.clean)
        best, top = task.clean.clone(), torch.full((len(task),), -torch.inf, device=raw.device)
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            delta = self._smooth(task, raw)
            size = task.budget.size(delta).clamp_min(1e-30)
            delta = delta * (task.budget.epsilon / size).clamp_max(1.0).view(-1, 1, 1, 1, 1)
            here = task.stored(task.clean + delta)
            if count < self.steps:
                margin, gradient = task.gradient(here, self.loss)
            else:
                margin, gradient = task.margin(here), torch.zeros_like(here)
            better = margin > top
            best[better], top = here[better], torch.maximum(top, margin)
            if bool((top > self.confidence).all()):
                break
            pull = levelled(self._smooth(task, gradient))
            raw = raw + self.step * task.budget.epsilon * task.budget.steepest(pull)
        return best

    def _smooth(self, task: Task, values: Tensor) -> Tensor:
        z, y, x = task.spacing
        widths = (self.sigma_z / z, self.sigma / y, self.sigma / x)
        if values.shape[2] > 1 or task.classifier.reads == "volume":
            return smooth(values, widths)
        stacked = values.squeeze(2).movedim(0, 1).unsqueeze(0)
        return smooth(stacked, widths).squeeze(0).movedim(1, 0).unsqueeze(2)

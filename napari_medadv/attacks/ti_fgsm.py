"""Translation-invariant attack (TI-FGSM), Dong et al. 2019, https://arxiv.org/abs/1904.02884."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Momentum, climb, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.smooth import smooth
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class TIFGSM:
    """MI-FGSM whose gradients are smoothed, as if taken over many small shifts of the picture.

    Attributes
    ----------
    steps, step, decay, confidence, loss
        As for `mi_fgsm`.
    sigma
        Width of the Gaussian, in pixels.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 10
    step: float = 0.2
    decay: float = 1.0
    sigma: float = 1.5
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
        """Margin and smoothed gradient."""
        margin, gradient = task.gradient(here, self.loss)
        return margin, smooth(gradient, (0.0, self.sigma, self.sigma))

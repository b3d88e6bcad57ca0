"""CT projection-domain perturbation, after Genzel, Macdonald and März 2020, https://arxiv.org/abs/2011.04268: the sinogram is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Carried, Course, captured, draws_given, fitting
from napari_medadv.attacks.climb import steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.projector import Projector
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Aim, Knowledge, Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Sinogram:
    """What is added to the parallel-beam projections of each slice, seen through filtered back-projection.

    Back-projection is linear, so the difference alone is reconstructed and the stored slice is never resampled.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of epsilon.
    views
        Projections over half a turn.
    confidence
        An entry rests once all its margins exceed this, in logits.
    loss
        What is climbed.
    draws
        Acquisitions looked at in each step; 0 for the image as it is alone.
    noise, motion, degrees, rewindow, rounding
        What an acquisition changes: see `Retake`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    steps: int = 40
    step: float = 0.3
    views: int = 60
    confidence: float = 1.0
    loss: Loss = "cross-entropy"
    draws: int = 4
    noise: float = 0.005
    motion: float = 1.0
    degrees: float = 1.0
    rewindow: float = 0.02
    rounding: float = 1.0

    def __post_init__(self) -> None:
        steps_given(self)
        Retake.as_set(self)
        draws_given(self.draws)
        if self.views < 1:
            raise AttackError(f"Sinogram takes views >= 1, not {self.views}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        height, width = task.clean.shape[3:]
        scanner = Projector((height, width), task.spacing[1:], self.views, task.clean.device)
        start = torch.zeros((*task.clean.shape[:3], self.views, scanner.elements), device=task.clean.device)
        course = Course(self.steps, self.confidence, self.loss, self.draws)
        return captured(
            task, start, _Scanned(scanner), Carried(scanner.project, task.clean, self.step), course, Retake.as_set(self)
        )


@dataclass(frozen=True, slots=True)
class _Scanned:
    scanner: Projector

    def render(self, task: Task, turned: Tensor) -> Tensor:
        return fitting(task, self.scanner.reconstruct(turned))

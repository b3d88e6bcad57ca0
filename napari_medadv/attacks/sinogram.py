"""CT projection-domain perturbation, after Genzel, Macdonald and März 2020, https://arxiv.org/abs/2011.04268: the sinogram is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks.capture import Capture, Carried, fitting
from napari_medadv.attacks.projector import Projector
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Sinogram(Capture):
    """What is added to the parallel-beam projections of each slice, seen through filtered back-projection.

    Back-projection is linear, so the difference alone is reconstructed and the stored slice is never resampled.

    Attributes
    ----------
    step
        Length of a step as a share of epsilon.
    views
        Projections over half a turn.
    """

    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    step: float = 0.3
    views: int = 60

    def __post_init__(self) -> None:
        Capture.__post_init__(self)
        if self.views < 1:
            raise AttackError(f"Sinogram takes views >= 1, not {self.views}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        height, width = task.clean.shape[3:]
        scanner = Projector((height, width), task.spacing[1:], self.views, task.clean.device)
        start = torch.zeros((*task.clean.shape[:3], self.views, scanner.elements), device=task.clean.device)
        return self.ascended(task, start, _Scanned(scanner), Carried(scanner.project, task.clean, self.step))


@dataclass(frozen=True, slots=True)
class _Scanned:
    scanner: Projector

    def render(self, task: Task, turned: Tensor) -> Tensor:
        return fitting(task, self.scanner.reconstruct(turned))

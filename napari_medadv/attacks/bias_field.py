"""Adversarial bias field, Tian et al. 2020, https://arxiv.org/abs/2009.09247: gain that drifts smoothly over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_medadv.attacks.capture import Capture, Learned
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class BiasField(Capture):
    """A field of a few control points across the image, as a detector's or a coil's sensitivity would give.

    Attributes
    ----------
    step
        Learning rate of the control points, which go from -1 to 1.
    points
        Control points along each side.
    kind
        "gain" grows with the value above the image's least one; "offset" is the same everywhere.
    """

    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    points: int = 6
    kind: Literal["gain", "offset"] = "gain"

    def __post_init__(self) -> None:
        Capture.__post_init__(self)
        if self.points < 1:
            raise AttackError(f"A bias field takes points >= 1, not {self.points}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        coarse = [min(self.points, length) for length in task.clean.shape[2:]]
        start = torch.zeros((len(task), 1, *coarse), device=task.clean.device)
        return self.ascended(task, start, self, Learned(start, self.step))

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The field of these control points, times the image where it is a gain."""
        shape = tuple(task.clean.shape[2:])
        field = interpolate(torch.tanh(turned), shape, mode="trilinear", align_corners=True)
        if self.kind == "offset":
            return task.budget.epsilon * field.expand_as(task.clean)
        floor = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        return task.budget.epsilon * field * (task.clean - floor) / task.contrast

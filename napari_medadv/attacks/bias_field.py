"""Adversarial bias field, Tian et al. 2020, https://arxiv.org/abs/2009.09247: gain that drifts smoothly over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.climb import levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Aim, Knowledge, Task


@dataclass(frozen=True, slots=True)
class BiasField:
    """A field of a few control points across the image, as a detector's or a coil's sensitivity would give.

    Attributes
    ----------
    steps
        How many.
    step
        Learning rate of the control points, which go from -1 to 1.
    points
        Control points along each side.
    kind
        "gain" grows with the value above the image's least one; "offset" is the same everywhere.
    confidence
        No further step is taken once all margins exceed this, in logits.
    loss
        What is climbed.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    steps: int = 40
    step: float = 0.2
    points: int = 6
    kind: Literal["gain", "offset"] = "gain"
    confidence: float = 0.05
    loss: Loss = "cross-entropy"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values of each entry."""
        shape = tuple(task.clean.shape[2:])
        coarse = [min(self.points, length) for length in shape]
        control = torch.zeros((len(task), 1, *coarse), device=task.clean.device)
        adam, best = Adam(control), task.clean.clone()
        top = torch.full((len(task),), -torch.inf, device=control.device)
        floor = task.clean.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)
        weight = (task.clean - floor) / task.contrast if self.kind == "gain" else torch.ones_like(task.clean)
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            points = control.detach().requires_grad_(True)
            with torch.enable_grad():
                field = interpolate(torch.tanh(points), shape, mode="trilinear", align_corners=True)
                delta = task.budget.epsilon * field * weight
            here = task.stored(task.clean + delta.detach())
            if count == self.steps:
                margin = task.margin(here)
            else:
                margin, gradient = task.gradient(here, self.loss)
                (pull,) = torch.autograd.grad(delta, points, gradient)
                control = control + self.step * adam.step(levelled(pull))
            better = margin > top
            best[better], top = here[better], torch.maximum(top, margin)
            if bool((top > self.confidence).all()):
                break
        return best

"""Adversarial patch, Brown, Mane, Roy, Abadi and Gilmer 2017, https://arxiv.org/abs/1712.09665, as Finlayson et al. 2018 used it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.climb import levelled
from napari_medadv.attacks.paste import Shape, fixed, scattered
from napari_medadv.attacks.task import Aim, Knowledge, Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch for all slices, trained at random sizes, angles and places, then put where it was asked for.

    Give it an L0 budget (how many voxels it may cover) or a large Linf one: a small Linf budget makes it faint.

    Attributes
    ----------
    steps
        Training steps over all slices.
    rate
        Learning rate, as a share of the contrast.
    size
        Diameter of the patch in the result.
    unit
        Of the size: a share of the shorter "side", or "mm".
    place
        Where its middle goes: shares of the height and of the width; nothing for a random place in the region.
    shape
        A disc, or a square as a side marker is.
    smallest, largest, degrees
        Sizes (shares of the side) and angles of the training.
    pixels
        Of the patch's own picture, along a side.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "several images"
    norms: ClassVar[tuple[str, ...]] = ("L0",)
    jointly: ClassVar[bool] = True

    steps: int = 100
    rate: float = 0.05
    size: float = 0.4
    unit: Literal["side", "mm"] = "side"
    place: tuple[float, ...] = ()
    shape: Shape = "disc"
    smallest: float = 0.1
    largest: float = 1.0
    degrees: float = 22.5
    pixels: int = 64

    def __post_init__(self) -> None:
        if self.steps < 1 or not (self.rate > 0 and self.size > 0) or not 0 < self.smallest <= self.largest:
            raise AttackError("A patch takes steps >= 1, rate and size > 0, and training sizes from small to large.")

    def __call__(self, task: Task) -> Tensor:
        """The clean values with the patch."""
        low, high = (limit.mean(dim=0, keepdim=True)[:, :, 0] for limit in task.extremes)
        contrast = float(task.contrast.mean())
        start = draw.uniform((1, task.clean.shape[1], self.pixels, self.pixels), task.rng, task.clean)
        content, adam = low + (high - low) * (0.45 + 0.1 * start), Adam(start)
        for count in range(self.steps):
            task.report(count, self.steps)
            places = scattered(task, self.smallest, self.largest, self.degrees, self.shape)
            picture = content.detach().requires_grad_(True)
            with torch.enable_grad():
                values = places.paste(picture, task.clean, task.spacing)
            margin, gradient = task.gradient(task.allow(values.detach()), "cross-entropy")
            pull = levelled(gradient) * (margin <= 5).view(-1, 1, 1, 1, 1)
            (uphill,) = torch.autograd.grad(values, picture, pull)
            content = content + self.rate * contrast * adam.step(uphill)
            content = torch.minimum(torch.maximum(content, low), high)
        places = fixed(task, self.size, self.unit, self.place, self.shape)
        return places.paste(content, task.clean, task.spacing)

"""Adversarial patch, Brown, Mane, Roy, Abadi and Gilmer 2017, https://arxiv.org/abs/1712.09665, as Finlayson et al. 2018 used it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.climb import levelled
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.paste import fixed, scattered
from napari_medadv.attacks.picture import keep, vacant
from napari_medadv.attacks.shape import Shape
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic


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
        Where its middle goes: shares of the height and of the width; nothing for a random place where the
        region holds all of it, or as much as it can.
    shape
        A disc, a square, the letter of a side marker (L or R), or a lead: a thin wire with its electrode.
    smallest, largest, degrees
        Sizes (shares of the side) and angles of the training.
    pixels
        Of the patch's own picture, along a side.
    batch
        Slices that a step learns from, drawn anew each time; 0 takes all.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    keep
        File (.npz) in which the patch's picture is kept, for `pasted`; nothing keeps none.
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
    batch: int = 0
    arithmetic: Arithmetic = "float32"
    keep: str = ""

    def __post_init__(self) -> None:
        counts = min(self.steps, self.pixels) < 1 or self.batch < 0
        if counts or not (self.rate > 0 and self.size > 0) or not 0 < self.smallest <= self.largest:
            raise AttackError(
                "A patch takes steps and pixels >= 1, batch >= 0, rate and size > 0, and training sizes from small to large."
            )

    def __call__(self, task: Task) -> Tensor:
        """The clean values with the patch."""
        if self.keep:
            vacant(Path(self.keep))
        content = self.learn([task])
        if self.keep:
            keep(Path(self.keep), content, unit=task.unit)
        return fixed(task, self.size, self.unit, self.place, self.shape).paste(content, task.clean, task.spacing)

    def learn(self, tasks: Sequence[Task]) -> Tensor:
        """The trained content, (1, channel, row, column), in the unit of the volume; each step learns from one task."""
        limits = [torch.stack(extremes(task)).mean(dim=1, keepdim=True)[:, :, :, 0] for task in tasks]
        low, high = torch.stack(limits).mean(dim=0)
        first = tasks[0]
        contrast = sum(float(task.contrast.mean()) for task in tasks) / len(tasks)
        start = draw.uniform((1, first.clean.shape[1], self.pixels, self.pixels), first.rng, first.clean)
        content: Tensor = low + (high - low) * (0.45 + 0.1 * start)
        adam = Adam(start)
        for count in range(self.steps):
            part = tasks[count % len(tasks)]
            part.report(count, self.steps)
            if 0 < self.batch < len(part):
                part = part.take(draw.uniform((len(part),), part.rng, part.clean).topk(self.batch).indices)
            places = scattered(part, self.smallest, self.largest, self.degrees, self.shape)
            picture = content.detach().requires_grad_(True)
            with torch.enable_grad():
                values = places.paste(picture, part.clean, part.spacing)
            allowed = part.allow(values.detach())
            margin, gradient = part.gradient(allowed, "cross-entropy", arithmetic=self.arithmetic)
            pull = levelled(gradient) * (margin <= 5).view(-1, 1, 1, 1, 1)
            (uphill,) = torch.autograd.grad(values, picture, pull)
            content = content + self.rate * contrast * adam.step(uphill)
            content = torch.minimum(torch.maximum(content, low), high)
        return content

"""Natural patch: the control of the adversarial one, a piece of a real slice pasted in the same way, Finlayson et al. 2018."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.paste import fixed
from napari_medadv.attacks.shape import Shape
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class NaturalPatch:
    """Random pieces of the slices themselves; the one that helps the goal most on the whole is pasted on all.

    Attributes
    ----------
    draws
        How many pieces are tried.
    size, unit, place, shape
        As for `patch`.
    degrees
        Each piece is turned by up to so much to either side.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "control"
    norms: ClassVar[tuple[str, ...]] = ("L0",)
    jointly: ClassVar[bool] = True

    draws: int = 10
    size: float = 0.4
    unit: Literal["side", "mm"] = "side"
    place: tuple[float, ...] = ()
    shape: Shape = "disc"
    degrees: float = 0.0

    def __post_init__(self) -> None:
        if self.draws < 1 or not self.size > 0 or not self.degrees >= 0:
            raise AttackError(
                "A natural patch takes draws >= 1, size > 0 and degrees >= 0, not "
                f"{self.draws}, {self.size:g} and {self.degrees:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The clean values with the piece."""
        places = fixed(task, self.size, self.unit, self.place, self.shape)
        best, score = task.clean, -torch.inf
        height, width = task.clean.shape[3:]
        side = float(places.side[0])
        tall, wide = (
            max(1, min(round(side / gap), limit)) for gap, limit in zip(task.spacing[1:], (height, width), strict=True)
        )
        for count in range(self.draws):
            task.report(count, self.draws)
            chance = draw.uniform((4,), task.rng, task.clean)
            source = task.clean[int(chance[0] * len(task))]
            slice_ = source[:, int(chance[1] * source.shape[1])]
            top, left = int(chance[2] * (height - tall + 1)), int(chance[3] * (width - wide + 1))
            piece = slice_[None, :, top : top + tall, left : left + wide]
            if self.degrees:
                turn = 2 * draw.uniform((1,), task.rng, task.clean) - 1
                places = replace(places, angle=(turn * math.radians(self.degrees)).expand(len(task)))
            values = places.paste(piece, task.clean, task.spacing)
            margin = float(task.margin(task.stored(values)).mean())
            if margin > score:
                best, score = values, margin
        return best

"""Paste: a disc or square of content put onto slices, scaled, turned and placed; differentiable in the content."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from napari_medadv.attacks import draw
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError

Shape = Literal["disc", "square"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where content goes on each entry.

    Attributes
    ----------
    side
        (batch,): the diameter or side, in mm.
    angle
        (batch,): in radians.
    centre
        (batch, 2): y and x, in mm from the middle of the first pixel.
    shape
        Disc or square.
    """

    side: Tensor
    angle: Tensor
    centre: Tensor
    shape: Shape

    def paste(self, content: Tensor, onto: Tensor, spacing: tuple[float, float, float]) -> Tensor:
        """`onto`, (batch, channel, z, y, x), with `content`, (batch or 1, channel, row, column), on every z.

        Parameters
        ----------
        content
            What is pasted, differentiable.
        onto
            The pictures.
        spacing
            Of their voxels along z, y and x, in mm.
        """
        batch, _, z, height, width = onto.shape
        rows = torch.arange(height, device=onto.device)[None, :, None] * spacing[1] - self.centre[:, 0, None, None]
        columns = torch.arange(width, device=onto.device)[None, None, :] * spacing[2] - self.centre[:, 1, None, None]
        turn, half = self.angle[:, None, None], self.side[:, None, None] / 2
        across = (columns * turn.cos() + rows * turn.sin()) / half
        down = (rows * turn.cos() - columns * turn.sin()) / half
        inside = (across**2 + down**2 <= 1) if self.shape == "disc" else (across.abs() <= 1) & (down.abs() <= 1)
        grid = torch.stack([across, down], dim=3)
        found = grid_sample(content.expand(batch, -1, -1, -1), grid, padding_mode="border", align_corners=False)
        return torch.where(inside[:, None, None], found.unsqueeze(2).expand(-1, -1, z, -1, -1), onto)


def fixed(task: Task, size: float, unit: str, place: tuple[float, ...], shape: Shape) -> Places:
    """The place that a person named: shares of the height and the width; at random in the region where none is named.

    Raises
    ------
    AttackError
        A place is not two shares from 0 to 1.
    """
    height, width = _sides(task)
    like = task.clean
    if place:
        if len(place) != 2 or not all(0 <= share <= 1 for share in place):
            raise AttackError(f"A place is two shares of the height and the width from 0 to 1, not {place}.")
        centre = torch.tensor([place[0] * height, place[1] * width], device=like.device).expand(len(task), 2)
    else:
        free = task.grid.free.any(dim=1).any(dim=1).flatten(1)
        score = draw.uniform(tuple(free.shape), task.rng, like) * free
        picked = score.argmax(dim=1)
        columns = like.shape[4]
        centre = torch.stack([(picked // columns) * task.spacing[1], (picked % columns) * task.spacing[2]], dim=1)
    side = size if unit == "mm" else size * min(height, width)
    flat = torch.full((len(task),), side, device=like.device)
    return Places(flat, torch.zeros_like(flat), centre.to(like), shape)


def scattered(task: Task, smallest: float, largest: float, degrees: float, shape: Shape) -> Places:
    """Random places on each entry; sizes as shares of the shorter side, angles to either side."""
    height, width = _sides(task)
    draws = draw.uniform((len(task), 4), task.rng, task.clean)
    side = (smallest + (largest - smallest) * draws[:, 0]) * min(height, width)
    angle = math.radians(degrees) * (2 * draws[:, 1] - 1)
    room = torch.stack([(height - side).clamp_min(0), (width - side).clamp_min(0)], dim=1)
    return Places(side, angle, side[:, None] / 2 + draws[:, 2:] * room, shape)


def _sides(task: Task) -> tuple[float, float]:
    return task.clean.shape[3] * task.spacing[1], task.clean.shape[4] * task.spacing[2]

"""Paste: content in some shape put onto slices, scaled, turned and placed; differentiable in the content."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from napari_medadv.attacks import draw
from napari_medadv.attacks.shape import Shape, inside
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


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
        Its outline.
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
        covered = inside(across, down, self.shape)
        grid = torch.stack([across, down], dim=3)
        found = grid_sample(content.expand(batch, -1, -1, -1), grid, padding_mode="border", align_corners=False)
        return torch.where(covered[:, None, None], found.unsqueeze(2).expand(-1, -1, z, -1, -1), onto)


def fixed(task: Task, size: float, unit: str, place: tuple[float, ...], shape: Shape) -> Places:
    """The place that a person named: shares of the height and the width.

    Where none is named, a random one among those where the region holds most of the shape: all of it, where it fits.

    Raises
    ------
    AttackError
        A place is not two shares from 0 to 1.
    """
    height, width = _sides(task)
    like = task.clean
    side = size if unit == "mm" else size * min(height, width)
    flat = torch.full((len(task),), side, device=like.device)
    if place:
        if len(place) != 2 or not all(0 <= share <= 1 for share in place):
            raise AttackError(f"A place is two shares of the height and the width from 0 to 1, not {place}.")
        centre = torch.tensor([place[0] * height, place[1] * width], device=like.device).expand(len(task), 2)
    else:
        room = _room(task, side, shape)
        centre = _drawn(task, room >= room.flatten(1).amax(dim=1).view(-1, 1, 1) - 0.5)
    return Places(flat, torch.zeros_like(flat), centre.to(like), shape)


def scattered(task: Task, smallest: float, largest: float, degrees: float, shape: Shape) -> Places:
    """Random places on each entry, in its region; sizes as shares of the shorter side, angles to either side."""
    height, width = _sides(task)
    draws = draw.uniform((len(task), 4), task.rng, task.clean)
    side = (smallest + (largest - smallest) * draws[:, 0]) * min(height, width)
    angle = math.radians(degrees) * (2 * draws[:, 1] - 1)
    allowed = _allowed(task)
    if not bool(allowed.all()):
        return Places(side, angle, _drawn(task, allowed), shape)
    room = torch.stack([(height - side).clamp_min(0), (width - side).clamp_min(0)], dim=1)
    return Places(side, angle, side[:, None] / 2 + draws[:, 2:] * room, shape)


def _sides(task: Task) -> tuple[float, float]:
    return task.clean.shape[3] * task.spacing[1], task.clean.shape[4] * task.spacing[2]


def _allowed(task: Task) -> Tensor:
    """Where some voxel may change: bool, (batch, y, x)."""
    return task.grid.free.any(dim=1).any(dim=1)


def _drawn(task: Task, where: Tensor) -> Tensor:
    """A random place among those that are marked, (batch, y, x): y and x in mm, (batch, 2)."""
    flat = where.flatten(1)
    picked = (draw.uniform(tuple(flat.shape), task.rng, task.clean) * flat).argmax(dim=1)
    columns = where.shape[2]
    return torch.stack([(picked // columns) * task.spacing[1], (picked % columns) * task.spacing[2]], dim=1).to(
        task.clean
    )


def _room(task: Task, side: float, shape: Shape) -> Tensor:
    """How many voxels of the region a shape would cover around each place: (batch, y, x)."""
    allowed = _allowed(task)
    rows, columns = (
        torch.arange(-(length // 2), length - length // 2, device=allowed.device) * gap / (side / 2)
        for length, gap in zip((2 * allowed.shape[1], 2 * allowed.shape[2]), task.spacing[1:], strict=True)
    )
    covered = inside(columns.expand(len(rows), -1), rows[:, None].expand(-1, len(columns)), shape)
    kernel = torch.fft.rfft2(torch.fft.ifftshift(covered.float())).conj()
    size = (len(rows), len(columns))
    room: Tensor = torch.fft.irfft2(torch.fft.rfft2(allowed.float(), s=size) * kernel, s=size)
    return room[:, : allowed.shape[1], : allowed.shape[2]] * allowed

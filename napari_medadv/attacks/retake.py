"""Retake: what another acquisition would change, for expectation over it (EOT), Athalye et al. 2017, https://arxiv.org/abs/1707.07397."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from napari_medadv.attacks import draw
from napari_medadv.attacks.grid import Grid
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Retake:
    """An acquisition made again: the patient has moved, the noise is another, the window and the rounding too.

    The patient moves; what the adversary adds belongs to the scanner and stays where it is.

    Attributes
    ----------
    noise
        Its standard deviation, as a share of the image's contrast.
    motion
        How far the patient moves in the plane at most, in mm to either side along y and x.
    degrees
        How far the patient turns in the plane at most, to either side.
    rewindow
        How far brightness and contrast vary, as a share of the contrast, to either side.
    rounding
        To how many stored grey levels values are rounded, at a random offset; 0 leaves them.
    """

    noise: float = 0.005
    motion: float = 1.0
    degrees: float = 1.0
    rewindow: float = 0.02
    rounding: float = 1.0

    def __post_init__(self) -> None:
        parts = (self.noise, self.motion, self.degrees, self.rewindow, self.rounding)
        if not all(math.isfinite(part) and part >= 0 for part in parts) or self.rewindow >= 1:
            raise AttackError(
                "A retake takes noise, motion, degrees, rewindow and rounding >= 0, and rewindow below 1, not "
                f"{', '.join(f'{part:g}' for part in parts)}."
            )

    @classmethod
    def as_set(cls, attack: object) -> Retake:
        """What the fields of an attack at the moment of capture say, and the defaults where it has none."""
        usual = cls()
        return cls(*(float(getattr(attack, part.name, getattr(usual, part.name))) for part in fields(cls)))

    def __str__(self) -> str:
        """For a person."""
        return (
            f"with noise of {self.noise:.2%} of the contrast, motion up to {self.motion:g} mm and {self.degrees:g} degrees, "
            f"brightness and contrast {self.rewindow:.1%} off at most, rounded to {self.rounding:g} grey level(s)"
        )

    def __call__(self, task: Task, values: Tensor) -> Tensor:
        """One retake of each entry, differentiable in `values`; both float32, (batch, channel, z, y, x)."""
        blank = _blank(task)
        taken = self._moved(task, blank) + (values - task.clean)
        if self.noise:
            taken = taken + self.noise * task.contrast * draw.normal(tuple(values.shape), task.rng, values)
        if self.rewindow:
            spread = (2 * draw.uniform((2, len(values), 1, 1, 1, 1), task.rng, values) - 1) * self.rewindow
            middle = task.clean.flatten(1).mean(dim=1).view(-1, 1, 1, 1, 1)
            taken = middle + (taken - middle) * (1 + spread[0]) + spread[1] * task.contrast
        if self.rounding and isinstance(task.grid, Grid):
            step = (self.rounding * task.grid.slope.abs()).to(values)
            offset = draw.uniform((len(values), 1, 1, 1, 1), task.rng, values)
            rounded = ((taken / step + offset).round() - offset) * step
            taken = taken + (rounded - taken).detach()
        taken = taken.clamp(task.lowest, task.highest)
        return taken if blank is None else torch.where(blank, values, taken)

    def _moved(self, task: Task, blank: Tensor | None) -> Tensor:
        """The clean image after the patient has moved."""
        clean = task.clean
        if not (self.motion or self.degrees):
            return clean
        chance = 2 * draw.uniform((len(clean), 3), task.rng, clean) - 1
        angle = chance[:, 0] * math.radians(self.degrees)
        y, x = (gap * length for gap, length in zip(task.spacing[1:], clean.shape[3:], strict=True))
        matrix = torch.zeros((len(clean), 2, 3), device=clean.device)
        matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
        matrix[:, 0, 1], matrix[:, 1, 0] = angle.sin() * (y / x), -angle.sin() * (x / y)
        matrix[:, 0, 2], matrix[:, 1, 2] = (chance[:, 1:] * 2 * self.motion / clean.new_tensor([x, y])).unbind(dim=1)
        flat = clean.flatten(1, 2)
        places = affine_grid(matrix, list(flat.shape), align_corners=False)
        # Less the middle, so that float32 keeps the last grey level of 16 bits, and what is no image moves in as the middle.
        image = torch.ones_like(flat) if blank is None else (~blank).to(flat).flatten(1, 2)
        middle = (flat * image).flatten(1).sum(dim=1) / image.flatten(1).sum(dim=1).clamp_min(1)
        middle = middle.view(-1, 1, 1, 1)
        moved = grid_sample((flat - middle) * image, places, mode="bicubic", padding_mode="border", align_corners=False)
        return (moved + middle).view_as(clean)


def _blank(task: Task) -> Tensor | None:
    """Where there is no image: bool, of the shape of the values."""
    if not isinstance(task.grid, Grid) or task.grid.padding is None:
        return None
    low, high = task.grid.padding
    return (task.grid.stored >= low) & (task.grid.stored <= high)

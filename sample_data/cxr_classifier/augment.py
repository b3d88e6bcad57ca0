"""What may differ between two radiographs of the same finding: place, size, exposure, noise, a covered patch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def augmented(presentation: Tensor, rng: torch.Generator, *, mirrored: bool = True) -> Tensor:
    """Randomly flip (unless not ``mirrored``), turn, scale, shift, re-expose and cover (image, 1, y, x) presentation values 0..1."""
    return covered(exposed(moved(presentation, rng, mirrored=mirrored), rng), rng)


def _uniform(count: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=rng)


def moved(presentation: Tensor, rng: torch.Generator, *, mirrored: bool = True) -> Tensor:
    """Mirror half of the images (unless not ``mirrored``), turn by up to 10 degrees, scale by 0.87 to 1.13, shift by up to 6 %."""
    count = len(presentation)
    angle = _uniform(count, -10, 10, rng) * math.pi / 180
    scale = _uniform(count, 0.87, 1.13, rng)
    aspect = _uniform(count, 0.94, 1.06, rng)
    mirror = torch.where(_uniform(count, 0, 1, rng) < (0.5 if mirrored else 0.0), -1.0, 1.0)
    shift_x, shift_y = _uniform(count, -0.12, 0.12, rng), _uniform(count, -0.12, 0.12, rng)
    row_x = torch.stack([mirror * scale * aspect * angle.cos(), -scale * angle.sin(), shift_x], 1)
    row_y = torch.stack([mirror * scale * angle.sin(), scale / aspect * angle.cos(), shift_y], 1)
    grid = affine_grid(torch.stack([row_x, row_y], 1), list(presentation.shape), align_corners=False)
    return grid_sample(presentation, grid, padding_mode="border", align_corners=False)


def exposed(presentation: Tensor, rng: torch.Generator) -> Tensor:
    """Gamma 0.8 to 1.25, contrast 0.85 to 1.15, brightness +-0.05, clipped to 0..1, then noise of up to 0.02."""
    count = len(presentation)
    gamma = _uniform(count, math.log(0.8), math.log(1.25), rng).exp()[:, None, None, None]
    contrast = _uniform(count, 0.85, 1.15, rng)[:, None, None, None]
    brightness = _uniform(count, -0.05, 0.05, rng)[:, None, None, None]
    sigma = _uniform(count, 0, 0.02, rng)[:, None, None, None]
    shown = (presentation.clamp(0, 1) ** gamma - 0.5) * contrast + 0.5 + brightness
    return shown.clamp(0, 1) + sigma * torch.randn(shown.shape, generator=rng)


def covered(presentation: Tensor, rng: torch.Generator) -> Tensor:
    """Replace, in half of the images, one rectangle of up to a third of each side by its image's mean."""
    height, width = presentation.shape[-2:]
    mean = presentation.mean((1, 2, 3))
    result = presentation.clone()
    for image in torch.nonzero(_uniform(len(presentation), 0, 1, rng) < 0.5).flatten().tolist():
        part = _uniform(4, 0, 1, rng).tolist()
        rows, columns = int(height * (0.08 + 0.25 * part[0])), int(width * (0.08 + 0.25 * part[1]))
        top, left = int((height - rows) * part[2]), int((width - columns) * part[3])
        result[image, :, top : top + rows, left : left + columns] = mean[image]
    return result

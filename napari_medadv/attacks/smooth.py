"""Smooth: a separable Gaussian over z, y and x, for gradients and changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad


def smooth(values: Tensor, sigma: tuple[float, float, float]) -> Tensor:
    """`values` smoothed along each axis; differentiable, and its own transpose away from the border.

    Parameters
    ----------
    values
        float32, (batch, channel, z, y, x).
    sigma
        Width of the Gaussian along z, y and x, in voxels; 0 leaves an axis alone. Beyond the border lies zero.
    """
    for axis, width in zip((2, 3, 4), sigma, strict=True):
        if width <= 0 or values.shape[axis] == 1:
            continue
        reach = min(math.ceil(3 * width), values.shape[axis] - 1)
        places = torch.arange(-reach, reach + 1, device=values.device, dtype=values.dtype)
        kernel = torch.exp(-0.5 * (places / width) ** 2)
        lines = values.movedim(axis, -1)
        flat = pad(lines.reshape(-1, 1, lines.shape[-1]), (reach, reach))
        values = conv1d(flat, (kernel / kernel.sum())[None, None]).view(lines.shape).movedim(-1, axis)
    return values

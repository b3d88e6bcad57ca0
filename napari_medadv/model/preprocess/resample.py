"""Antialiased linear resampling of any number of axes, one axis after the other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def resample(values: Tensor, size: tuple[int, ...]) -> Tensor:
    """Slices (batch, channel, y, x) or volumes (batch, channel, z, y, x) at another size.

    Both are linear between pixel centres (align_corners=False) and widen the triangle when they shrink, so that
    nothing aliases. Slices go through torch's own bilinear filter; volumes, for which torch has none that is
    antialiased, through the same filter written as one small matrix an axis.
    """
    if tuple(values.shape[2:]) == size:
        return values
    if len(size) == 2:
        return F.interpolate(values, size=size, mode="bilinear", align_corners=False, antialias=True)
    order = sorted(range(len(size)), key=lambda axis: size[axis] / values.shape[2 + axis])
    for axis in order:
        length = values.shape[2 + axis]
        if length != size[axis]:
            weights = triangle(length, size[axis]).to(values)
            values = torch.tensordot(values, weights, dims=([2 + axis], [1])).movedim(-1, 2 + axis)
    return values


def triangle(source: int, target: int) -> Tensor:
    """The weights of every source sample in every target sample: float32, (target, source), each row sums to 1."""
    scale = source / target
    support = max(scale, 1.0)
    centres = (torch.arange(target, dtype=torch.float64) + 0.5) * scale
    distance = (torch.arange(source, dtype=torch.float64)[None] + 0.5 - centres[:, None]).abs()
    weights = (1 - distance / support).clamp_min(0)
    return (weights / weights.sum(dim=1, keepdim=True)).float()

"""Detail: what is left of an image without anatomy, as for a watermark that is to be found."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad


def differenced(values: Tensor) -> Tensor:
    """The second difference along both axes of every slice: no plane and no straight edge along an axis leaves a trace."""
    planes = pad(values.reshape(-1, 1, *values.shape[-2:]), (1, 1, 1, 1), mode="replicate")
    mask = torch.tensor([-0.5, 1.0, -0.5], device=values.device, dtype=values.dtype)
    return conv2d(conv2d(planes, mask.view(1, 1, 3, 1)), mask.view(1, 1, 1, 3)).reshape(values.shape)


def mean(values: Tensor, side: int) -> Tensor:
    """The mean of a square in every slice."""
    edge = side // 2
    planes = pad(values.reshape(-1, 1, *values.shape[-2:]), (edge,) * 4, mode="replicate")
    return avg_pool2d(planes, side, 1).reshape(values.shape)

"""Adam, Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, on one tensor."""

from __future__ import annotations

import torch
from torch import Tensor


class Adam:
    """Steps of about length one along a gradient that is averaged over the past."""

    def __init__(self, like: Tensor) -> None:
        self._mean, self._square, self._count = torch.zeros_like(like), torch.zeros_like(like), 0

    def step(self, gradient: Tensor) -> Tensor:
        """The step to add, uphill, in units of the learning rate."""
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient.square()
        return self._mean / (1 - 0.9**self._count) / self.size

    @property
    def size(self) -> Tensor:
        """How large gradients were, voxel by voxel: what the mean is divided by to make the last step."""
        return (self._square / (1 - 0.999**self._count)).sqrt() + 1e-8

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows of the first axis alone."""
        self._mean, self._square = self._mean[rows], self._square[rows]

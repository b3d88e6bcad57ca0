"""Standardise an image: subtract its own mean, divide by its own standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class StandardiseImage:
    """(values - mean) / (std + epsilon), with the mean and standard deviation of each image (population's, N).

    Attributes
    ----------
    epsilon
        Keeps an image of one value finite.
    over
        One mean for the whole "image", or one for each "channel".
    """

    epsilon: float = 1e-6
    over: Literal["image", "channel"] = "image"

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise ValueError(f"epsilon is {self.epsilon:g}, and a number above 0 is expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The standardised values."""
        axes = tuple(range(1 if self.over == "image" else 2, values.ndim))
        centred = values - values.mean(dim=axes, keepdim=True)
        variance = centred.square().mean(dim=axes, keepdim=True)
        # The gradient of a square root is infinite at 0, where every value is the same.
        deviation = torch.where(variance > 0, variance, 1.0).sqrt() * (variance > 0)
        return centred / (deviation + self.epsilon)

"""What the recipes share: the range that a network reads, and a step of its training."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

BATCH = 16
PEAK_RATE = 1e-3


class Centred(nn.Module):
    """A network that takes presentation values 0..1 and reads -1..1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, presentation: Tensor) -> Tensor:
        logits: Tensor = self.network(2 * presentation - 1)
        return logits


def rate(done: int, whole: int) -> float:
    """The learning rate of a step: up within the first tenth, and down along a cosine."""
    return PEAK_RATE * min(1.0, 10 * done / whole) * 0.5 * (1 + math.cos(math.pi * done / whole))


def stepped(network: nn.Module, optimizer: torch.optim.Optimizer, batch: Tensor, targets: Tensor) -> float:
    """The loss of a batch, before the step along its gradient."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(batch).float()
    loss = cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

"""Extremes: the darkest and the brightest value that sparse attacks draw."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task


def extremes(task: Task) -> tuple[Tensor, Tensor]:
    """The darkest and the brightest value of each entry, each (batch, 1, 1, 1, 1), in the unit of the volume.

    The range of the clean values, half as wide again to either side, within what can be stored: beyond it a
    classifier's window is saturated, and 16 bits reach much further.
    """
    flat, reach = task.clean.flatten(1), task.contrast / 2
    low = flat.amin(dim=1).view(-1, 1, 1, 1, 1) - reach
    high = flat.amax(dim=1).view(-1, 1, 1, 1, 1) + reach
    return (
        torch.maximum(low, task.lowest.flatten(1).amin(dim=1).view(-1, 1, 1, 1, 1)),
        torch.minimum(high, task.highest.flatten(1).amax(dim=1).view(-1, 1, 1, 1, 1)),
    )

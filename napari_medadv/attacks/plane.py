"""Plane: the shortest way to a linearised boundary within what can be stored, for DeepFool and FAB."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task
from napari_medadv.threat import ball
from napari_medadv.threat.ball import Norm


def to_plane(task: Task, values: Tensor, normal: Tensor, gap: Tensor, norm: Norm) -> Tensor:
    """The smallest change of `values` within the storable range by which a linear function rises by `gap`.

    Parameters
    ----------
    task
        Whose range and region bound the change.
    values, normal
        float32, (batch, channel, z, y, x): where to start, and the gradient of the function.
    gap
        (batch,): how much it should rise (it falls where negative); where the range leaves too little, all is taken.
    norm
        What small means.
    """
    slope = normal * ball.wide(gap.sign(), normal)
    room = torch.where(slope > 0, task.highest - values, values - task.lowest).clamp_min(0) * task.grid.free
    rise, need = slope.abs() * room, gap.abs()
    if norm in ("L1", "L0"):
        flat, order = rise.flatten(1), slope.abs().flatten(1).argsort(dim=1, descending=True)
        ordered = flat.gather(1, order)
        left = need[:, None] - (ordered.cumsum(dim=1) - ordered)
        part = (left / ordered.clamp_min(1e-30)).clamp(0, 1)
        share = torch.zeros_like(flat).scatter(1, order, part).view_as(values)
        return slope.sign() * room * share
    along = slope.abs() if norm == "L2" else torch.ones_like(slope)
    low = torch.zeros_like(need)
    most = torch.where(slope != 0, room / along.clamp_min(1e-30), 0.0).flatten(1).amax(dim=1)
    free = (along * slope.abs()).flatten(1).sum(dim=1).clamp_min(1e-30)
    exact = (need / free).clamp_max(1e20)
    high = torch.maximum(most, exact)
    bounded = (torch.minimum(ball.wide(exact, along) * along, room) * slope.abs()).flatten(1).sum(dim=1)
    if bool((bounded >= need * (1 - 1e-6)).all()):
        high = exact
    else:
        low = exact
        for _ in range(30):
            middle = (low + high) / 2
            gained = (torch.minimum(ball.wide(middle, along) * along, room) * slope.abs()).flatten(1).sum(dim=1)
            low, high = torch.where(gained < need, middle, low), torch.where(gained < need, high, middle)
    return slope.sign() * torch.minimum(ball.wide(high, along) * along, room)

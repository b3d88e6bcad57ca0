"""Ball: sizes, projections and duals of the four norms, with a radius of its own for each batch entry."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Norm = Literal["Linf", "L2", "L1", "L0"]

FAR = 1e20
"""A distance beyond all that can be stored: what a gradient of zero is taken to say, where infinity would become NaN."""


def wide(amount: Tensor, like: Tensor) -> Tensor:
    """(batch,) seen as (batch, 1, ...) with as many axes as `like`."""
    return amount.view(-1, *[1] * (like.ndim - 1))


def size(delta: Tensor, norm: Norm) -> Tensor:
    """How large `delta`, (batch, channel, z, y, x), is: (batch,). L0 counts voxels of all channels."""
    flat = delta.flatten(1)
    if norm == "Linf":
        return flat.abs().amax(dim=1)
    if norm == "L1":
        return flat.abs().sum(dim=1)
    if norm == "L0":
        return (delta != 0).any(dim=1).flatten(1).sum(dim=1).to(delta.dtype)
    found: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return found


def dual(gradient: Tensor, norm: Norm) -> Tensor:
    """How fast a function with this gradient rises along the steepest direction of size one: (batch,)."""
    against: dict[Norm, Norm] = {"Linf": "L1", "L2": "L2", "L1": "Linf", "L0": "Linf"}
    return size(gradient, against[norm]).clamp_min(torch.finfo(gradient.dtype).tiny)


def project(delta: Tensor, norm: Norm, radius: Tensor) -> Tensor:
    """The nearest perturbation no larger than `radius`, (batch,)."""
    limit = wide(radius.to(delta), delta)
    if norm == "Linf":
        return torch.minimum(torch.maximum(delta, -limit), limit)
    if norm == "L2":
        norms = wide(size(delta, "L2").clamp_min(torch.finfo(delta.dtype).tiny), delta)
        return delta * (limit / norms).clamp_max(1.0)
    if norm == "L0":
        return delta * largest(delta, radius)
    return _project_l1(delta, radius)


def within(delta: Tensor, norm: Norm, radius: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The nearest perturbation no larger than `radius`, (batch,), between `low` <= 0 and `high` >= 0.

    Exact for Linf and, after Croce and Hein 2021 (https://arxiv.org/abs/2103.01208), for L1, where a ball that is cut
    off at the bounds would be left half unused; for L2 and L0 the ball comes first and the bounds second.
    """
    if norm != "L1":
        return torch.minimum(torch.maximum(project(delta, norm, radius), low), high)
    flat = delta.flatten(1)
    amount = flat.abs()
    room = torch.where(delta > 0, high, -low).expand_as(delta).flatten(1)
    share = torch.minimum(amount, room)
    if bool((share.sum(dim=1) <= radius).all()):
        return (flat.sign() * share).view_as(delta)
    starts, ends = amount, (amount - room).clamp_min(0)
    places, order = torch.cat([starts, ends], dim=1).sort(dim=1, descending=True)
    slopes = torch.where(order < flat.shape[1], 1.0, -1.0).to(flat).cumsum(dim=1)
    sums = torch.nn.functional.pad((slopes[:, :-1] * (places[:, :-1] - places[:, 1:])).cumsum(dim=1), (1, 0))
    last = (sums <= radius.to(flat)[:, None]).sum(dim=1, keepdim=True).clamp_min(1) - 1
    left = (radius.to(flat)[:, None] - sums.gather(1, last)).clamp_min(0)
    cut = (places.gather(1, last) - left / slopes.gather(1, last).clamp_min(1)).clamp_min(0)
    cut = torch.where(share.sum(dim=1, keepdim=True) <= radius.to(flat)[:, None], torch.zeros_like(cut), cut)
    return (flat.sign() * torch.minimum((amount - cut).clamp_min(0), room)).view_as(delta)


def largest(amount: Tensor, count: Tensor) -> Tensor:
    """Bool, (batch, 1, z, y, x): the `count`, (batch,), voxels of all channels where `amount` is largest, and not zero."""
    flat = amount.abs().sum(dim=1).flatten(1)
    order = flat.argsort(dim=1, descending=True)
    ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
    chosen = torch.zeros_like(flat, dtype=torch.bool).scatter(1, order, ranks < count.to(flat)[:, None]) & (flat > 0)
    return chosen.view(len(amount), 1, *amount.shape[2:])


def _project_l1(delta: Tensor, radius: Tensor) -> Tensor:
    """Duchi et al. 2008, https://doi.org/10.1145/1390156.1390191."""
    flat, radius = delta.flatten(1), radius.to(delta)[:, None]
    over = flat.abs().sum(dim=1, keepdim=True) > radius
    if not bool(over.any()):
        return delta
    ordered = flat.abs().sort(dim=1, descending=True).values
    excess = ordered.cumsum(dim=1) - radius
    ranks = torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=flat.dtype)
    kept = (ordered * ranks > excess).sum(dim=1, keepdim=True).clamp_min(1)
    cut = (excess.gather(1, kept - 1) / kept).clamp_min(0)
    return torch.where(over, flat.sign() * (flat.abs() - cut).clamp_min(0), flat).view_as(delta)

"""Auto-PGD in the L1 ball, Croce and Hein 2021, https://arxiv.org/abs/2103.01208: few voxels a step, as many as still help."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from napari_medadv.attacks.best import Best
from napari_medadv.attacks.loss import Loss
from napari_medadv.threat import ball
from napari_medadv.threat.each import Each

_PERIOD = 0.04
_FIRST_SHARE = 0.2
_SPARSER = 0.95
_SHRINK = 1.5
_LEAST = 0.1
_STAGES = ((3.0, 0.3), (2.0, 0.3))


def climb_sparsely(
    best: Best, values: Tensor, loss: Loss | Tensor, *, steps: int, done: int = 0, total: int | None = None
) -> Tensor:
    """Climb from `values` within an L1 ball, noting the best stored values in `best`.

    Parameters
    ----------
    best, values, loss, steps, done, total
        As for `adapt`.

    Returns
    -------
    Tensor
        For each entry that still stands, the values where the loss was highest.
    """
    part = best.part
    values = part.admit(values)
    count_all = values[0].numel()
    known = (values != part.clean).flatten(1).sum(dim=1).to(values)
    share = torch.where(known > 0, known / count_all / _SHRINK, torch.full_like(known, _FIRST_SHARE))
    before = torch.where(known > 0, known, torch.full_like(known, count_all))
    length, top = torch.ones_like(share), torch.full_like(share, -torch.inf)
    top_values, gradient = values, torch.zeros_like(values)
    top_gradient, period = gradient, max(round(_PERIOD * steps), 1)
    for count in range(steps + 1):
        part = best.part
        part.report(done + count, steps + 1 if total is None else total)
        if count:
            move = _sparse(gradient, share)
            reach = length * part.budget.epsilon / part.budget.size(move).clamp_min(1e-30)
            values = part.admit(values + move * ball.wide(reach, values))
        here = part.stored(values)
        if count == steps:
            margin = part.margin(here)
            keep = best.see(here, margin)
            return top_values if keep is None else top_values[keep]
        margin, height, gradient = part.ascent(here, loss)
        higher = height > top
        wide = ball.wide(higher, values)
        top = torch.where(higher, height, top)
        top_values, top_gradient = torch.where(wide, values, top_values), torch.where(wide, gradient, top_gradient)
        if count and count % period == 0:
            now = (top_values != part.clean).flatten(1).sum(dim=1).to(values)
            sparser = now < _SPARSER * before
            share, before = now / count_all / _SHRINK, now
            length = torch.where(sparser, torch.ones_like(length), (length / _SHRINK).clamp_min(_LEAST))
            wide = ball.wide(sparser, values)
            values, gradient = torch.where(wide, top_values, values), torch.where(wide, top_gradient, gradient)
        keep = best.see(here, margin)
        if best.done:
            return values[:0]
        if keep is not None:
            loss = loss[keep] if isinstance(loss, Tensor) else loss
            values, gradient, top_values, top_gradient = (
                kept[keep] for kept in (values, gradient, top_values, top_gradient)
            )
            share, before, length, top = (kept[keep] for kept in (share, before, length, top))
    return top_values


def from_outside(best: Best, values: Tensor, loss: Loss | Tensor, *, steps: int) -> tuple[Tensor, int]:
    """Where to start in an L1 ball, found by ascents in balls three and two times as large; and the steps that are left.

    In other norms the values and the steps themselves.
    """
    if best.part.budget.norm != "L1":
        return values, steps
    left = steps
    for factor, share in _STAGES:
        task = best.part
        factors = torch.full((len(task),), factor, device=values.device)
        wider = replace(task, budget=Each(task.budget, factors))
        spent = round(share * steps)
        values = climb_sparsely(Best(wider, torch.inf), values, loss, steps=spent)
        left -= spent
    return values, max(left, 1)


def _sparse(gradient: Tensor, share: Tensor) -> Tensor:
    """The signs of the `share`, (batch,), of the voxels where the gradient is largest, at L1 norm one."""
    flat = gradient.flatten(1)
    place = ((1 - share) * flat.shape[1]).clamp(0, flat.shape[1] - 1).long()
    least = flat.abs().sort(dim=1).values.gather(1, place[:, None])
    signs = torch.where(flat.abs() >= least, flat.sign(), torch.zeros_like(flat))
    return (signs / signs.abs().sum(dim=1, keepdim=True).clamp_min(1)).view_as(gradient)

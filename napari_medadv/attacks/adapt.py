"""Adapt: ascent whose step halves when it no longer helps, the loop of APGD, https://arxiv.org/abs/2003.01690."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.best import Best
from napari_medadv.attacks.cube import hold, kept
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.sparse_ascent import climb_sparsely
from napari_medadv.model.arithmetic import Arithmetic

_CARRY = 0.75
_RISES = 0.75


def checkpoints(steps: int) -> list[int]:
    """The steps after which the step length is reconsidered: the gaps begin at 22 % and shrink to 6 % of all steps."""
    shares, gap = [0.0, 0.22], 0.22
    while shares[-1] < 1:
        gap = max(gap - 0.03, 0.06)
        shares.append(shares[-1] + gap)
    return sorted({round(share * steps) for share in shares[1:] if share <= 1})


def adapt(
    best: Best,
    values: Tensor,
    loss: Loss | Tensor,
    *,
    steps: int,
    done: int = 0,
    total: int | None = None,
    arithmetic: Arithmetic = "float32",
) -> None:
    """Climb from `values`, noting the best stored values in `best`; within an L1 ball by sparse steps.

    Parameters
    ----------
    best
        Where results go; its standing entries climb.
    values
        Where they start, one row for each standing entry.
    loss
        What is climbed, or int64, one row for each standing entry: which way.
    steps
        How many.
    done, total
        What to report before the first step and for all the work (of this climb alone by default).
    arithmetic
        Of the network in the gradients.
    """
    if best.part.budget.norm == "L1":
        climb_sparsely(best, values, loss, steps=steps, done=done, total=total)
        return
    held = hold(best.part)
    values = held.admit(values)
    before, top_values = values, values
    length = torch.full((len(values), 1, 1, 1, 1), 2.0, device=values.device)
    gradient, top_gradient = torch.zeros_like(values), torch.zeros_like(values)
    height = top = top_then = torch.full((len(values),), -torch.inf, device=values.device)
    rises, halved = torch.zeros_like(height), torch.ones_like(height, dtype=torch.bool)
    checks, checked = checkpoints(steps), 0
    for count in range(steps + 1):
        part = best.part
        part.report(done + count, steps + 1 if total is None else total)
        if count:
            ahead = held.admit(values + length * part.budget.epsilon * part.budget.steepest(gradient))
            if count > 1:
                ahead = held.admit(values + _CARRY * (ahead - values) + (1 - _CARRY) * (values - before))
            before, values = values, ahead
        here = held.rounded(values)
        if count == steps:
            best.see(here, part.margin(here))
            return
        last = height
        margin, height, gradient = part.ascent(here, loss, arithmetic=arithmetic)
        rises = rises + (height > last)
        higher = height > top
        wide = higher.view(-1, 1, 1, 1, 1)
        top = torch.where(higher, height, top)
        top_values, top_gradient = torch.where(wide, values, top_values), torch.where(wide, gradient, top_gradient)
        if count in checks:
            slow = rises < _RISES * (count - checked)
            stuck = ~halved & (top_then >= top)
            halved, top_then, checked = slow | stuck, top, count
            wide = halved.view(-1, 1, 1, 1, 1)
            length = torch.where(wide, length / 2, length)
            values, gradient = torch.where(wide, top_values, values), torch.where(wide, top_gradient, gradient)
            rises = torch.zeros_like(rises)
        keep = best.see(here, margin)
        if best.done:
            return
        if keep is not None:
            loss = loss[keep] if isinstance(loss, Tensor) else loss
            held = kept(held, best.part, keep)
            values, before, top_values, gradient, top_gradient = (
                each[keep] for each in (values, before, top_values, gradient, top_gradient)
            )
            length, rises, halved, height, top, top_then = (
                each[keep] for each in (length, rises, halved, height, top, top_then)
            )

"""Climb: steps of steepest ascent within the budget, the loop that the projected-gradient family shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from napari_medadv.attacks.best import Best
from napari_medadv.attacks.cube import hold, kept
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.rising import DOUBT
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic

Memory = tuple[Tensor, ...]
"""What a rule carries from step to step: tensors with one row for each standing entry."""

Rule = Callable[[Task, Tensor, Memory], tuple[Tensor, Tensor, Memory]]
"""The standing entries, their stored values and the memory, to their margin, the direction to climb, the memory."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The direction is the gradient of the loss.

    Attributes
    ----------
    best
        Where results go: a margin that cannot be better is not asked again in float32.
    loss, arithmetic
        As for `Task.ascent`.
    """

    best: Best
    loss: Loss
    arithmetic: Arithmetic = "float32"

    def __call__(self, task: Task, here: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Memory]:
        """Margin, gradient, nothing."""
        trusted, floor = self._believed
        margin, gradient = task.gradient(here, self.loss, arithmetic=self.arithmetic, trusted=trusted, floor=floor)
        return margin, gradient, memory

    def last(self, task: Task, here: Tensor) -> Tensor:
        """The margin where no further step is taken."""
        trusted, floor = self._believed
        return task.margin(here, arithmetic=self.arithmetic, trusted=trusted, floor=floor)

    @property
    def _believed(self) -> tuple[float, Tensor | None]:
        """Which margins of bfloat16 are not asked again: where entries drive on, all that are past doubt or no better."""
        best = self.best
        if self.arithmetic == "float32":
            return math.inf, None
        if best.rough:
            return -math.inf, None
        if best.confidence == math.inf:
            return DOUBT, best.margin[best.active]
        return math.inf, best.margin[best.active] - DOUBT


def climb(
    best: Best,
    values: Tensor,
    rule: Rule,
    memory: Memory = (),
    *,
    steps: int,
    step: float,
    done: int = 0,
    total: int | None = None,
) -> None:
    """Climb from `values`, noting the best stored values in `best`.

    Parameters
    ----------
    best
        Where results go; its standing entries climb.
    values
        Where they start, admitted, one row for each standing entry.
    rule, memory
        Which way to go, and what the rule remembers.
    steps, step
        How many, and how long as a share of epsilon.
    done, total
        What to report before the first step and for all the work (of this climb alone by default).
    """
    held = hold(best.part)
    for count in range(steps + 1):
        if best.done:
            return
        part = best.part
        here = held.rounded(values)
        part.report(done + count, steps + 1 if total is None else total)
        if count == steps:
            best.see(here, rule.last(part, here) if isinstance(rule, Plain) else part.margin(here))
            return
        margin, direction, memory = rule(part, here, memory)
        length = step * part.budget.epsilon
        values = held.admit(torch.add(values, part.budget.steepest(direction), alpha=length))
        keep = best.see(here, margin)
        if best.rough and count == steps // 2:
            best.confirm()
        if keep is not None:
            values, memory = values[keep], tuple(each[keep] for each in memory)
            held = kept(held, best.part, keep)


@dataclass(frozen=True, slots=True)
class Momentum:
    """Gradients at mean size one are summed up, the older the less (MI-FGSM, https://arxiv.org/abs/1710.06081).

    Attributes
    ----------
    decay
        What of the sum is kept at each step.
    look
        The margin and the gradient at stored values.
    """

    decay: float
    look: Callable[[Task, Tensor], tuple[Tensor, Tensor]]

    def __call__(self, task: Task, here: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Memory]:
        """Margin, the sum, the sum."""
        margin, gradient = self.look(task, here)
        total = self.decay * memory[0] + levelled(gradient)
        return margin, total, (total,)


def levelled(gradient: Tensor) -> Tensor:
    """The gradient of each entry at a mean absolute value of one."""
    means = gradient.flatten(1).abs().mean(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
    return gradient / means.view(-1, 1, 1, 1, 1)


class _Stepping(Protocol):
    @property
    def steps(self) -> int: ...

    @property
    def step(self) -> float: ...


def steps_given(attack: _Stepping) -> None:
    """Refuse an attack without steps, or with steps of no length."""
    if attack.steps < 1 or not attack.step > 0:
        raise AttackError(
            f"{type(attack).__name__} takes steps >= 1 and step > 0, not {attack.steps} and {attack.step:g}."
        )

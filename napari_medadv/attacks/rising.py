"""Rising: the margin and the gradient of a task's entries, in the arithmetic asked for; no decision rests on bfloat16."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_medadv.attacks.loss import Loss, slope
from napari_medadv.errors import ModelError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.model.intake import Intake
from napari_medadv.threat import Confuse

if TYPE_CHECKING:
    from napari_medadv.attacks.task import Task

DOUBT = 0.25
"""Margins found in bfloat16 that are as near as this to the decision, or past it, are asked again in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """In which arithmetic a network is asked, and which margins found in bfloat16 are not asked again.

    Attributes
    ----------
    arithmetic, trusted, floor
        As for `Task.ascent`.
    """

    arithmetic: Arithmetic = "float32"
    trusted: float = math.inf
    floor: Tensor | None = None


def rising(
    task: Task, values: Tensor, loss: Loss | Tensor, through: Callable[[Tensor], Tensor] | None, trust: Trust
) -> tuple[Tensor, Tensor, Tensor]:
    """Margin (batch,), logits (batch, label) and gradient, of the shape of `values`; parameters as for `Task.ascent`.

    Raises
    ------
    ModelError
        The gradient is not finite.
    """
    short = _short(task, trust.arithmetic)
    size = max(task.classifier.batch, 1)
    if len(values) <= size:
        logits, found = _climbed(task, values, loss, through, task.intake, task.decided, short)
    else:
        parts = []
        for start in range(0, len(values), size):
            rows = slice(start, start + size)
            picked, intake = loss if isinstance(loss, str) else loss[rows], task.intake.take(rows)
            parts.append(_climbed(task, values[rows], picked, through, intake, task.decided[rows], short))
        logits, found = (torch.cat(each) for each in zip(*parts, strict=True))
    if not math.isfinite(found.sum().item()):
        raise ModelError(
            f"The gradient of {task.classifier.name} is NaN or infinite here: its preprocessing or network is not differentiable."
        )
    margin = _margin(task, logits, task.decided)
    if short and through is None:
        _ask_again(task, values, margin, trust)
    return margin, logits, found if task.grid.all_free else found * task.grid.free


def judged(task: Task, values: Tensor, trust: Trust) -> Tensor:
    """The margin (batch,) at `values`; parameters as for `Task.ascent`."""
    short = _short(task, trust.arithmetic)
    with torch.no_grad():
        with _shortened(values, short):
            logits = classified(task, values, task.intake)
        margin = _margin(task, logits.float() if short else logits, task.decided)
        if short:
            _ask_again(task, values, margin, trust)
    return margin


def classified(task: Task, values: Tensor, intake: Intake) -> Tensor:
    """Logits (batch, label), a batch of the classifier at a time."""
    size = max(task.classifier.batch, 1)
    if len(values) <= size:
        return _logits(task, values, intake)
    return torch.cat(
        [
            _logits(task, values[start : start + size], intake.take(slice(start, start + size)))
            for start in range(0, len(values), size)
        ]
    )


def _short(task: Task, arithmetic: Arithmetic) -> bool:
    return (task.swiftest() if arithmetic == "auto" else arithmetic) == "bfloat16"


def _shortened(values: Tensor, short: bool) -> AbstractContextManager[object]:
    return torch.autocast(values.device.type, torch.bfloat16) if short else nullcontext()


def _ask_again(task: Task, values: Tensor, margin: Tensor, trust: Trust) -> None:
    """Put float32's margins where bfloat16's are in doubt and matter."""
    if trust.trusted == -math.inf:
        return
    least = -DOUBT if trust.floor is None else trust.floor.clamp_min(-DOUBT)
    places = ((margin > least) & (margin <= trust.trusted)).nonzero().flatten()
    if len(places):
        with torch.no_grad():
            again = classified(task, values[places], task.intake.take(places))
        margin[places] = _margin(task, again, task.decided[places])


def _climbed(
    task: Task,
    values: Tensor,
    loss: Loss | Tensor,
    through: Callable[[Tensor], Tensor] | None,
    intake: Intake,
    decided: Tensor,
    short: bool,
) -> tuple[Tensor, Tensor]:
    """Logits and gradient of one batch of the classifier, as the network's arithmetic gives them."""
    task.tally.gradients += len(values)
    inputs = values.detach().requires_grad_(True)
    with torch.enable_grad():
        with _shortened(inputs, short):
            logits = _logits(task, inputs if through is None else through(inputs), intake)
        logits = logits.float() if short else logits
    rise = slope(task.threat.goal, logits, task.classifier.findings, decided, loss, alone=task.alone)
    (found,) = torch.autograd.grad(logits, inputs, rise)
    return logits.detach(), found


def _logits(task: Task, values: Tensor, intake: Intake) -> Tensor:
    task.tally.pulse()
    task.tally.queries += len(values)
    return task.classifier.logits(values, intake)


def _margin(task: Task, logits: Tensor, decided: Tensor) -> Tensor:
    goal = task.threat.goal
    if task.alone and isinstance(goal, Confuse):
        return goal.lead(logits, decided)
    return goal.margin(logits, task.classifier.findings, decided)

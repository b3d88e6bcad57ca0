"""Capture: ascent on what an adversary turns at a scanner (a field, a curve, raw data), over many acquisitions of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from napari_medadv.attacks.adam import Adam
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.climb import levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball

_DECAY = 0.75
_USUAL = Retake()


class Device(Protocol):
    """What is turned: tensors with one row an entry."""

    def render(self, task: Task, turned: Tensor) -> Tensor:
        """The change of the image that it makes, (batch, channel, z, y, x); differentiable."""
        ...


class Rule(Protocol):
    """How what is turned is turned further."""

    def step(self, task: Task, turned: Tensor, change: Tensor, uphill: Tensor) -> Tensor:
        """What is turned after one step.

        Parameters
        ----------
        task
            The standing entries.
        turned, change
            What is turned, and the change of the image that was rendered from it.
        uphill
            The gradient of the loss to the image, (batch, channel, z, y, x).
        """
        ...

    def keep(self, rows: Tensor) -> None:
        """Go on with these entries alone."""
        ...


class Learned:
    """Adam on what is turned: for a few numbers that mean different things."""

    def __init__(self, start: Tensor, rate: float) -> None:
        self._adam, self._rate = Adam(start), rate

    def step(self, task: Task, turned: Tensor, change: Tensor, uphill: Tensor) -> Tensor:
        """Steps of about length one for each number."""
        (pull,) = torch.autograd.grad(change, turned, uphill)
        flat = pull.reshape(len(pull), -1, 1, 1, 1)
        return (turned + self._rate * self._adam.step(levelled(flat).view_as(pull))).detach()

    def keep(self, rows: Tensor) -> None:
        """Forget the others."""
        self._adam.keep(rows)


class Carried:
    """A step of the image within the budget, carried back to the raw data that show the most of it."""

    def __init__(self, back: Callable[[Tensor], Tensor], like: Tensor, rate: float) -> None:
        self._back, self._total, self._rate = back, torch.zeros_like(like), rate

    def step(self, task: Task, turned: Tensor, change: Tensor, uphill: Tensor) -> Tensor:
        """The raw data of the image's change after a step along the gradients summed up over the past."""
        self._total = _DECAY * self._total + levelled(uphill)
        ahead = change.detach() + self._rate * task.budget.epsilon * task.budget.steepest(self._total)
        return self._back(task.budget.project(ahead))

    def keep(self, rows: Tensor) -> None:
        """Forget the others."""
        self._total = self._total[rows]


@dataclass(frozen=True, slots=True)
class Capture:
    """What all attacks at the moment of capture can be told; each adds what is turned.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step.
    confidence
        An entry rests once its margin in every acquisition of two steps on end exceeds this, in logits.
    loss
        What is climbed.
    draws
        Acquisitions looked at in each step, besides the image as it is; 0 for that alone.
    noise, motion, degrees, rewindow, rounding
        What an acquisition changes: see `Retake`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"

    steps: int = 40
    step: float = 0.2
    confidence: float = 1.0
    loss: Loss = "cross-entropy"
    draws: int = 4
    noise: float = _USUAL.noise
    motion: float = _USUAL.motion
    degrees: float = _USUAL.degrees
    rewindow: float = _USUAL.rewindow
    rounding: float = _USUAL.rounding

    def __post_init__(self) -> None:
        steps_given(self)
        Retake.as_set(self)
        if self.draws < 0:
            raise AttackError(
                f"An attack at the moment of capture looks at draws >= 0 acquisitions a step, not {self.draws}."
            )

    def ascended(self, task: Task, start: Tensor, device: Device, rule: Rule) -> Tensor:
        """The best stored values of each entry: reached as they are, then reached in most acquisitions, then by how much.

        Parameters
        ----------
        task
            What is to be fooled.
        start
            Where what is turned starts, one row an entry.
        device, rule
            What that does to the image, and how it is turned further.
        """
        best, top = task.clean.clone(), torch.full((len(task),), -torch.inf, device=task.clean.device)
        rows, turned, part = torch.arange(len(task), device=start.device), start, task
        calm = torch.zeros_like(rows)
        for count in range(self.steps + 1):
            task.report(count, self.steps + 1)
            points = turned.detach().requires_grad_(True)
            with torch.enable_grad():
                change = device.render(part, points)
            here = part.stored(part.clean + change.detach())
            margins, uphill = self._look(part, here, climbing=count < self.steps)
            worth = 2.0 * (margins[0] > 0) + (margins > 0).float().mean(dim=0) + torch.tanh(margins).mean(dim=0)
            better = worth > top[rows]
            best[rows[better]], top[rows[better]] = here[better], worth[better]
            calm = torch.where(margins.amin(dim=0) > self.confidence, calm + 1, 0)
            stand = (calm < (2 if self.draws else 1)).nonzero().flatten()
            if count == self.steps or not len(stand):
                break
            turned = rule.step(part, points, change, uphill)
            if len(stand) < len(rows):
                rows, turned, calm, part = rows[stand], turned[stand], calm[stand], part.take(stand)
                rule.keep(stand)
        return best

    def _look(self, task: Task, here: Tensor, *, climbing: bool) -> tuple[Tensor, Tensor]:
        """Margins (1 + draws, batch), those of the image as it is first, and the summed gradient (zero unless `climbing`)."""
        margins, uphill, retake = [], torch.zeros_like(here), Retake.as_set(self)
        for number in range(self.draws + 1):
            taken = retake(task, here) if number else here
            if climbing:
                margin, gradient = task.gradient(taken, self.loss)
                uphill = uphill + gradient
            else:
                margin = task.margin(taken)
            margins.append(margin)
        return torch.stack(margins), uphill


def share(task: Task, change: Tensor) -> Tensor:
    """By how much the change is made fainter, so that its shape stays and the budget holds: (batch,), 1 at most."""
    size = task.budget.size(change.detach()).clamp_min(1e-30)
    return (task.budget.epsilon / size).clamp_max(1.0)


def fitting(task: Task, change: Tensor) -> Tensor:
    """The change, fainter where it is larger than the budget."""
    return change * ball.wide(share(task, change), change)

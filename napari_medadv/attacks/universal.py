"""Universal perturbation, Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1610.08401, by ascent on all images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.climb import levelled, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.picture import keep, vacant
from napari_medadv.attacks.task import Task


@dataclass(frozen=True, slots=True)
class Universal:
    """One and the same perturbation for all slices (or all images of a batch, or of several series).

    Attributes
    ----------
    steps
        Passes over all images.
    step
        Length of a step as a share of epsilon.
    decay
        What of the older gradients is kept at each step.
    confidence
        An image pulls no more once its margin exceeds this, in logits.
    loss
        What is climbed.
    keep
        File (.npz) in which the perturbation is kept, for `repeated`; nothing keeps none.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "several images"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")
    jointly: ClassVar[bool] = True
    everywhere: ClassVar[bool] = True

    steps: int = 40
    step: float = 0.1
    decay: float = 0.9
    confidence: float = 0.5
    loss: Loss = "cross-entropy"
    keep: str = ""

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The clean values plus the perturbation that fools most of them."""
        if self.keep:
            vacant(Path(self.keep), "change")
        change = self.learn([task])
        if self.keep:
            keep(Path(self.keep), change, "change", task.unit)
        return spread(change, task)

    def learn(self, tasks: Sequence[Task]) -> Tensor:
        """The perturbation that fools most entries of all tasks: (1, channel, z, y, x), of the size of the first."""
        first = tasks[0]
        change = best = torch.zeros_like(first.clean[:1])
        total, score = torch.zeros_like(change), -torch.inf
        for count in range(self.steps + 1):
            first.report(count, self.steps + 1)
            worth, uphill, entries = 0.0, torch.zeros_like(change), 0
            for task in tasks:
                here = task.stored(spread(change, task))
                if count < self.steps:
                    margin, gradient = task.gradient(here, self.loss)
                else:
                    margin, gradient = task.margin(here), torch.zeros_like(here)
                worth += float((margin > 0).float().sum()) + float(torch.tanh(margin).mean()) / len(tasks)
                pull = levelled(gradient) * (margin <= self.confidence).view(-1, 1, 1, 1, 1)
                uphill = uphill + resized(pull.sum(dim=0, keepdim=True), tuple(change.shape[2:]))
                entries += len(task)
            if worth > score:
                best, score = change, worth
            total = self.decay * total + uphill / entries
            budget = first.take(torch.zeros(1, dtype=torch.int64, device=change.device)).budget
            change = budget.project(change + self.step * budget.epsilon * budget.steepest(total))
        return best


def spread(change: Tensor, task: Task) -> Tensor:
    """Every entry of the task with the change, (1, channel, z, y, x), resized where its images have another size."""
    return task.admit(task.clean + resized(change, tuple(task.clean.shape[2:])))


def resized(change: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The change at another size (z, y, x)."""
    if tuple(change.shape[2:]) == shape:
        return change
    return interpolate(change, shape, mode="trilinear", align_corners=False)

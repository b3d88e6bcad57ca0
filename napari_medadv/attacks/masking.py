"""Masking: signs that gradients mislead, so that an attack's failure says little, after https://arxiv.org/abs/1802.00420."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.task import Task
from napari_medadv.errors import ModelError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.threat.budget import L0, L1, L2, Budget, Linf

RANDOM = 1e-4
"""By how much two answers to the same input may differ, in logits."""


def masking(
    task: Task, by_gradient: Tensor, broken: Tensor, *, thorough: bool, arithmetic: Arithmetic = "float32"
) -> list[str]:
    """Sentences about what was found, none where all is well.

    Parameters
    ----------
    task
        Whom was attacked, within what.
    by_gradient, broken
        bool, (batch,): which entries gradient attacks fooled, and which any attack did.
    thorough
        Whether to spend three more runs: more steps, a larger budget, and one without end.
    arithmetic
        Of the network in the gradients of these.
    """
    found = []
    count = len(task)
    first, second = task.logits(task.clean).detach(), task.logits(task.clean).detach()
    if float((first - second).abs().max()) > RANDOM:
        found.append(
            "The classifier answers differently when asked again, so one success or failure says little: average its answers."
        )
    try:
        _, gradient = task.gradient(task.clean, "margin")
        flat = int((gradient.flatten(1).abs().amax(dim=1) == 0).sum())
        if flat:
            found.append(f"The gradient is zero for {flat} of {count} inputs: gradient attacks cannot judge these.")
    except ModelError as error:
        found.append(str(error))
    extra = int((broken & ~by_gradient).sum())
    if extra:
        found.append(
            f"The black-box attack fooled {extra} of {count} inputs that every gradient attack had left standing: the gradients mislead."
        )
    standing = (~broken).nonzero().flatten()
    if thorough and len(standing):
        found += _runs(task.take(standing), arithmetic)
    return found


def _runs(task: Task, arithmetic: Arithmetic) -> list[str]:
    few, many = _margin(task, 10, task.budget, arithmetic), _margin(task, 60, task.budget, arithmetic)
    larger = _margin(task, 30, _times(task.budget, 2.0), arithmetic)
    endless = _margin(task, 60, unbounded(task), arithmetic)
    count, found = len(task), []
    worse = int((many < few - 1e-3).sum())
    if worse:
        found.append(f"Sixty steps came less far than ten for {worse} of {count} inputs: the ascent does not converge.")
    idle = int((larger <= few + 1e-6).sum())
    if idle:
        found.append(f"Twice the budget helped nothing for {idle} of {count} inputs: the gradients mislead.")
    left = int((endless <= 0).sum())
    if left and _everywhere(task):
        found.append(
            f"A budget without end left {left} of {count} inputs standing, where it must fool all: the attack fails, not the adversary."
        )
    return found


def _everywhere(task: Task) -> bool:
    """Whether the adversary may touch the whole image: in a part of it, no budget need be enough."""
    region = task.threat.region
    return region.mask is None and (region.slices is None or task.classifier.reads == "slices")


def _margin(task: Task, steps: int, budget: Budget, arithmetic: Arithmetic) -> Tensor:
    wide = replace(task, budget=budget)
    return wide.margin(wide.stored(PGD(steps, start="clean", confidence=torch.inf, arithmetic=arithmetic)(wide)))


def _times(budget: Budget, factor: float) -> Budget:
    return replace(budget, epsilon=budget.epsilon * factor)


def unbounded(task: Task) -> Budget:
    """A budget of the task's norm within which every voxel may go anywhere between the image's extremes."""
    span, voxels = 2 * float(task.contrast.max()), task.clean[0].numel()
    kinds: dict[str, Budget] = {
        "Linf": Linf(span),
        "L2": L2(span * voxels**0.5),
        "L1": L1(span * voxels),
        "L0": L0(task.clean[0, 0].numel()),
    }
    return kinds[task.budget.norm]

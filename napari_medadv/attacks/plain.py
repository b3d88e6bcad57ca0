"""Plain tensors: our attacks on a network and a batch, without volumes, files or DICOM; for AttackBench and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.curve import Curve, smallest_epsilons
from napari_medadv.attacks.grid import Grid, Unrounded
from napari_medadv.attacks.settled import settled, standing
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.errors import ThreatError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.model.classifier import Classifier, Network
from napari_medadv.model.intake import Intake
from napari_medadv.prediction import Findings, Prediction
from napari_medadv.progress import Progress, silent
from napari_medadv.threat import Budget, Confuse, Goal, Threat

_VALUES = 1 << 20
"""Of one batch; larger ones were no faster, in docs/guides/speed.md."""


@dataclass(frozen=True, slots=True)
class _Towards:
    """The label that is marked for each entry is the decision."""

    def check(self, findings: Findings) -> None:
        """Every label may be marked."""

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        if findings.activation == "sigmoid":
            return torch.where(decided, logits, -logits).amin(1)
        return logits.masked_fill(~decided, -torch.inf).amax(1) - logits.masked_fill(decided, -torch.inf).amax(1)

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        if findings.activation == "sigmoid":
            return -torch.where(decided, -logits, logits).logsumexp(1)
        wished, others = logits.masked_fill(~decided, -torch.inf), logits.masked_fill(decided, -torch.inf)
        return wished.logsumexp(1) - others.logsumexp(1)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        return self.margin(logits, findings, decided)[:, None]

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        raise NotImplementedError("plain tensors have no series")  # `fool` judges the tensors itself and never asks


def fool(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    attack: Attack,
    budget: Budget,
    *,
    targeted: bool = False,
    bounds: tuple[float, float] = (0.0, 1.0),
    levels: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    tally: Tally | None = None,
    progress: Progress = silent,
) -> Tensor:
    """Adversarial inputs, of the shape of `inputs`; an entry that was wrong already comes back unchanged.

    Parameters
    ----------
    network
        Tensor to logits (batch, label), in eval mode.
    inputs
        float32, (batch, channel, y, x) or (batch, channel, z, y, x), within `bounds`.
    labels
        int64 (batch,): the true class, or the wished one where `targeted`, of a softmax classifier; or bool
        (batch, label): what is present, of a classifier with a sigmoid for each label.
    attack, budget
        Settings and how far they may go, in the unit of `inputs`. For a minimum-norm attack the budget says what is
        measured; give it a large one.
    targeted
        Whether `labels` are wished rather than true.
    bounds
        The least and the greatest value.
    levels
        How many values a file can store between the bounds; None for any number.
    batch
        How many inputs are classified at once; None for `at_once`.
    seed
        Of all randomness.
    tally
        Where queries and gradients are counted.
    progress
        Told once a step.
    """
    task = plain_task(
        network,
        inputs,
        labels,
        budget,
        targeted,
        bounds,
        levels,
        batch,
        seed,
        Tally(progress) if tally is None else tally,
    )
    attack = settled(attack, task)
    stand = standing(task, attack)
    found = task.clean.clone()
    if len(stand):
        part = task.take(stand)
        found[stand] = part.stored(attack(part)).clamp(*bounds)
    return found.squeeze(2).clone() if inputs.ndim == 4 else found


def plain_curve(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    budget: Budget,
    epsilons: Sequence[float],
    *,
    steps: int = 15,
    confirm: int = 15,
    bounds: tuple[float, float] = (0.0, 1.0),
    levels: int | None = None,
    batch: int | None = None,
    arithmetic: Arithmetic = "auto",
    tally: Tally | None = None,
) -> Curve:
    """The robustness curve of a network over plain tensors; the budget says what is measured, its size is of no matter.

    Parameters
    ----------
    network, inputs, labels, budget, bounds, levels, batch, tally
        As for `fool`.
    epsilons
        The grid that is confirmed, ascending, above zero.
    steps, confirm
        Of the minimum-norm run, and of each confirmation.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """
    task = plain_task(network, inputs, labels, budget, False, bounds, levels, batch, 0, tally or Tally())
    found = torch.zeros(len(task), device=inputs.device)
    stand = (task.margin(task.clean) <= 0).nonzero().flatten()
    if len(stand):
        found[stand] = smallest_epsilons(
            task.take(stand), epsilons, steps=steps, confirm=confirm, arithmetic=arithmetic
        )
    return Curve(tuple(found.tolist()))


def at_once(inputs: Tensor) -> int:
    """How many inputs, (batch, ...), are fastest classified at once: a power of two, 128 small images or 16 of 224 x 224."""
    most = max(16, min(128, _VALUES // max(inputs[0].numel(), 1)))
    return 1 << most.bit_length() - 1


def plain_task(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    budget: Budget,
    targeted: bool,
    bounds: tuple[float, float],
    levels: int | None,
    batch: int | None,
    seed: int,
    tally: Tally,
) -> Task:
    """The task that plain tensors make; parameters as for `fool`."""
    low, high = bounds
    if (
        inputs.ndim not in (4, 5)
        or len(inputs) != len(labels)
        or not (inputs >= low).all()
        or not (inputs <= high).all()
    ):
        raise ThreatError(
            f"Inputs of shape {tuple(inputs.shape)} with {len(labels)} labels do not fit: give (batch, channel, y, x) or "
            f"(batch, channel, z, y, x), one label an input, all values between {low:g} and {high:g}."
        )
    flat = inputs.ndim == 4
    clean = (inputs.unsqueeze(2) if flat else inputs).detach().float()
    device = clean.device
    with torch.no_grad():
        width = network(inputs[:1]).shape[1]
    sigmoid = labels.dtype == torch.bool
    decided = _decided(labels, width)
    findings = Findings(tuple(str(place) for place in range(width)), "sigmoid" if sigmoid else "softmax")
    goal: Goal = _Towards() if targeted else Confuse()
    one = torch.ones(1, device=device)
    return Task(
        classifier=Classifier(
            network,
            findings,
            "level",
            reads="slices" if flat else "volume",
            batch=batch or at_once(clean),
            device=device,
        ),
        intake=Intake(one, one * 0),
        clean=clean,
        grid=_grid(clean, low, high, levels),
        threat=Threat(goal, budget),
        budget=budget,
        decided=decided.to(device),
        rng=draw.seeded(seed),
        lowest=torch.full((1, 1, 1, 1, 1), low, device=device),
        highest=torch.full((1, 1, 1, 1, 1), high, device=device),
        tally=tally,
    )


def _decided(labels: Tensor, width: int) -> Tensor:
    """Present labels, bool (batch, label), from either form of labels."""
    if labels.dtype == torch.bool:
        if labels.ndim == 2 and labels.shape[1] == width:
            return labels
    elif labels.ndim == 1 and not labels.is_floating_point() and not labels.is_complex():
        if bool(((labels >= 0) & (labels < width)).all()):
            return torch.nn.functional.one_hot(labels.long(), width).bool()
    raise ThreatError(
        f"Labels of type {str(labels.dtype).removeprefix('torch.')} and shape {tuple(labels.shape)} do not fit a network of {width} "
        f"logits: give whole numbers (batch,) from 0 to {width - 1}, or bool (batch, {width})."
    )


def _grid(clean: Tensor, low: float, high: float, levels: int | None) -> Grid | Unrounded:
    free = torch.ones_like(clean, dtype=torch.bool)
    if levels is None:
        return Unrounded(free)
    if levels < 2:
        raise ThreatError(f"{levels} levels leave nothing to change: give at least 2, or None for any number.")
    slope = torch.full((1, 1, 1, 1, 1), (high - low) / (levels - 1), device=clean.device, dtype=torch.float64)
    stored = ((clean.double() - low) / slope).round().to(torch.int64)
    return Grid(stored, slope, 0, levels - 1, None, free)

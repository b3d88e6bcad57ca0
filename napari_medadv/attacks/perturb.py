"""perturb(): the driver that every attack passes. The attack proposes; what would be stored is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.caveats import caveats
from napari_medadv.attacks.each_slice import asked, by_mean, left
from napari_medadv.attacks.grid import Grid, grid
from napari_medadv.attacks.refusals import refuse
from napari_medadv.attacks.settled import settled, standing
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AlreadyReached, AttackError, MedAdvError
from napari_medadv.model.classifier import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.progress import Progress, part, silent
from napari_medadv.room import standard
from napari_medadv.threat import Alone, Conceal, Threat
from napari_medadv.threat.finer import Swap
from napari_medadv.threat.goal_words import goal_words
from napari_medadv.volume import Array, Volume

_AT_ONCE = 4
"""Batches that a gradient attack gets at once, so that the last entries that stand still fill one."""


@dataclass(frozen=True, slots=True, eq=False)
class Perturbation:
    """What an attack did to a volume, as stored.

    Attributes
    ----------
    clean, adversarial
        The volume before and after: the integers that a file holds.
    threat, attack, seed
        What was asked for; where the attack left the arithmetic open, it says what was taken.
    slices
        The slices that were attacked.
    before, after
        What the classifier says of each.
    reached
        Whether the goal is met by the stored integers.
    queries, gradients
        Inputs classified and gradients taken by the attack, not counting the two predictions.
    facts
        Sentences that a person should read beside the result: signs that gradients mislead, for example.
    threads
        Of torch, while it ran: they can change the last bit of a gradient.
    """

    clean: Volume
    adversarial: Volume
    threat: Threat
    attack: Attack
    seed: int
    slices: tuple[int, ...]
    before: Prediction
    after: Prediction
    reached: bool
    queries: int
    gradients: int
    facts: tuple[str, ...] = ()
    threads: int = 1


def perturb(
    classifier: Classifier,
    volume: Volume,
    threat: Threat,
    attack: Attack,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Perturbation:
    """Perturb `volume` so that `classifier` errs as the threat's goal wishes.

    Raises
    ------
    ThreatError
        Goal, budget or region do not fit, or the goal is met already.
    AttackError
        The attack needs gradients and the classifier gives none.
    Cancelled
        `progress` said stop.
    """
    slices, rng = refuse(classifier, volume, threat, attack), draw.seeded(seed)
    before = classifier.predict(volume, progress=part(progress, 0.0, 0.05))
    if threat.goal.reached(before, before, slices):
        where = (
            ""
            if len(slices) == len(volume.voxels)
            else f", attacked in {len(slices)} of its {len(volume.voxels)} slices"
        )
        raise AlreadyReached(
            f"The goal, {goal_words(threat.goal)}, is met by the clean series already ({before.sentence}{where}): choose another goal."
        )
    voxels = standard().like(volume.voxels)
    ask = _Ask(classifier, volume, threat, attack, before, rng)
    share = 1.0 if not isinstance(threat.goal, Swap) else 0.6
    done = _attacked(ask, slices, voxels, part(progress, 0.05, 0.05 + 0.9 * share))
    adversarial = volume.with_voxels(voxels)
    after = classifier.predict(adversarial, progress=part(progress, 0.05 + 0.9 * share, 1.0 if share == 1 else 0.65))
    reached = threat.goal.reached(before, after, slices)
    if not reached and isinstance(threat.goal, Swap) and (rest := left(threat.goal, after, slices)):
        again = replace(ask, threat=replace(threat, goal=Conceal(threat.goal.hidden)))
        done = done.and_then(_attacked(again, rest, voxels, part(progress, 0.65, 0.95)))
        adversarial = volume.with_voxels(voxels)
        after = classifier.predict(adversarial, progress=part(progress, 0.95, 1.0))
        reached = threat.goal.reached(before, after, slices)
    mean = by_mean(classifier, threat.goal)
    told = caveats(attack, threat, after, slices, len(volume.voxels), reached=reached, mean=mean)
    return Perturbation(
        volume,
        adversarial,
        threat,
        done.attack,
        seed,
        slices,
        before,
        after,
        reached,
        done.queries,
        done.gradients,
        (*done.facts, *told),
        torch.get_num_threads(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ask:
    """Who attacks what, and how."""

    classifier: Classifier
    volume: Volume
    threat: Threat
    attack: Attack
    before: Prediction
    rng: torch.Generator


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    """The attack as it ran, and what it cost."""

    attack: Attack
    queries: int
    gradients: int
    facts: tuple[str, ...]

    def and_then(self, other: _Done) -> _Done:
        """Both, the other one after this."""
        facts = tuple(dict.fromkeys(self.facts + other.facts))
        return _Done(self.attack, self.queries + other.queries, self.gradients + other.gradients, facts)


def _attacked(ask: _Ask, slices: tuple[int, ...], voxels: Array, progress: Progress) -> _Done:
    """Attack some slices, in turns that fit the batch, and write what would be stored into `voxels`."""
    classifier, volume, attack = ask.classifier, ask.volume, ask.attack
    queries = gradients = 0
    facts: list[str] = []
    every = by_mean(classifier, ask.threat.goal) and getattr(attack, "aim", "") != "minimum norm"
    together = classifier.reads == "volume" or getattr(attack, "jointly", False)
    wide = _AT_ONCE if getattr(attack, "knowledge", "") == "gradient" else 1
    size = len(slices) if together else wide * classifier.batch
    for start in range(0, len(slices), size):
        chosen = np.array(slices[start : start + size])
        share = part(progress, start / len(slices), min(start + size, len(slices)) / len(slices))
        task, on_grid = task_of(classifier, volume, ask.threat, ask.before, chosen, ask.rng, share)
        attack = settled(attack, task)
        runs = replace(attack, confidence=math.inf) if every and hasattr(attack, "confidence") else attack  # type: ignore[type-var]  # every attack with settings is a dataclass
        whole = every or getattr(attack, "everywhere", False)
        open_entries = torch.arange(len(task), device=task.clean.device) if whole else standing(task, attack)
        if len(open_entries):
            inner = task.take(open_entries)
            values = inner.admit(_proposed(runs, inner))
            codes = torch.zeros_like(on_grid.stored)
            codes[open_entries] = on_grid.take(open_entries).codes(values - inner.clean, inner.budget)
            rows = chosen if classifier.reads == "slices" else np.arange(len(volume.voxels))
            voxels[rows] = _stored(on_grid.stored + codes, volume, whole=classifier.reads == "volume")
        queries, gradients = queries + task.queries, gradients + task.gradients
        facts += [fact for fact in task.tally.facts if fact not in facts]
    return _Done(attack, queries, gradients, tuple(facts))


def _proposed(attack: Attack, task: Task) -> Tensor:
    """What the attack proposes; a private one may fail in any way."""
    name, changes = type(attack).__name__, task.clean._version
    try:
        found = attack(task)
    except (MedAdvError, MemoryError):
        raise
    except Exception as fault:
        if type(attack).__module__.startswith("napari_medadv."):
            raise
        raise AttackError(f"The attack {name} failed ({type(fault).__name__}: {fault}): correct it.") from fault
    if task.clean._version != changes:
        raise AttackError(f"The attack {name} changed the clean values in place: let it change a clone of them.")
    if not isinstance(found, Tensor) or found.shape != task.clean.shape or not bool(found.isfinite().all()):
        raise AttackError(
            f"{name} gave back something else than finite values of the shape {tuple(task.clean.shape)}: "
            "correct the attack, or its settings."
        )
    return found


def task_of(
    classifier: Classifier,
    volume: Volume,
    threat: Threat,
    before: Prediction,
    chosen: Array,
    rng: torch.Generator,
    progress: Progress,
) -> tuple[Task, Grid]:
    """The task of the `chosen` slices, and its grid; where volumes are read, of the whole volume with these free."""
    whole = classifier.reads == "volume"
    rows = np.arange(len(volume.voxels)) if whole else chosen
    clean = classifier.tensor(volume, rows)
    allowed = ~volume.padded(rows)
    if threat.region.mask is not None:
        mask = threat.region.mask[rows]
        allowed &= mask[..., None] if volume.colour else mask
    allowed[~np.isin(rows, chosen)] = False
    free = torch.from_numpy(np.ascontiguousarray(np.moveaxis(allowed, 3, 0) if volume.colour else allowed[None]))
    free = free[None] if whole else free.transpose(0, 1).unsqueeze(2)
    lowest, highest = (
        torch.from_numpy(limit.astype(np.float32)).to(clean).view(*((1, 1, -1, 1, 1) if whole else (-1, 1, 1, 1, 1)))
        for limit in volume.scale.take(rows).limits
    )
    own = isinstance(threat.goal, Alone) and before.slices is not None
    said = before.findings.present(before.slices[rows]) if own and before.slices is not None else before.decided[None]
    decided = torch.from_numpy(said).to(clean.device).expand(len(clean), -1)
    on_grid = grid(volume, rows, free, whole=whole, device=clean.device)
    threat = replace(threat, goal=asked(threat.goal, threat.region, before, volume.shape))
    task = Task(
        classifier=classifier,
        intake=classifier.intake(volume, rows),
        clean=clean,
        grid=on_grid,
        threat=threat,
        budget=threat.budget,
        decided=decided,
        rng=rng,
        lowest=lowest,
        highest=highest,
        tally=Tally(progress),
        volume=volume,
        rows=rows,
    )
    return task, on_grid


def _stored(found: Tensor, volume: Volume, *, whole: bool) -> Array:
    """Integers (batch, channel, z, y, x) laid out like the volume's voxels."""
    rows = found.cpu().numpy().astype(volume.voxels.dtype)
    rows = rows[0] if whole else rows[:, :, 0].swapaxes(0, 1)
    stored: Array = np.moveaxis(rows, 0, 3) if volume.colour else rows[0]
    return stored

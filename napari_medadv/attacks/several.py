"""Several: one patch or one perturbation that is learned on several series together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeGuard

import numpy as np
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.pasted import Pasted
from napari_medadv.attacks.patch import Patch
from napari_medadv.attacks.perturb import task_of
from napari_medadv.attacks.picture import Kind
from napari_medadv.attacks.refusals import refuse
from napari_medadv.attacks.repeated import Repeated
from napari_medadv.attacks.settled import settled, standing
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AlreadyReached, AttackError
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, part, silent
from napari_medadv.threat import Threat
from napari_medadv.volume import Volume


class Learning(Attack, Protocol):
    """An attack whose one result serves many tasks."""

    def learn(self, tasks: Sequence[Task]) -> Tensor:
        """What it learns, with a first axis of 1, in the unit of the volumes."""
        ...


def learn(
    classifier: Classifier,
    members: Sequence[tuple[Volume, Threat]],
    attack: Learning,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Tensor:
    """What one attack learns on several series; slices that are as wished already are left out.

    Parameters
    ----------
    classifier
        Who is to be fooled.
    members
        The series, all of one unit and number of channels, each with its threat.
    attack
        `Universal` or `Patch`, for example.
    seed
        Of all randomness.
    progress
        Told once a step.

    Raises
    ------
    ThreatError
        Goal, budget or region do not fit a series, or the goal is met everywhere already.
    AttackError
        The series do not go together, or the classifier gives no gradient.
    """
    alike([volume for volume, _ in members])
    tally, rng, tasks = Tally(part(progress, 0.1, 1.0)), draw.seeded(seed), []
    for count, (volume, threat) in enumerate(members):
        told = part(progress, 0.1 * count / len(members), 0.1 * (count + 1) / len(members))
        slices = refuse(classifier, volume, threat, attack)
        before = classifier.predict(volume, progress=told)
        if threat.goal.reached(before, before, slices):  # by the series, though not by each of its slices
            continue
        task, _ = task_of(classifier, volume, threat, before, np.array(slices), rng, silent)
        task = replace(task, tally=tally)
        attack = settled(attack, task)
        still = standing(task, attack)
        if len(still):
            tasks.append(task.take(still))
    if not tasks:
        raise AlreadyReached("The goal is met by every clean series already: choose another goal, or other series.")
    return attack.learn(tasks)


def alike(volumes: Sequence[Volume]) -> None:
    """Refuse series that one perturbation cannot serve: its numbers mean nothing in another unit, or in colour.

    Raises
    ------
    AttackError
        They have several units, or some are in colour.
    """
    kinds = sorted({(volume.scale.unit, "colour" if volume.colour else "grey") for volume in volumes})
    if len(kinds) != 1:
        raise AttackError(
            f"One perturbation cannot serve series of several kinds ({'; '.join(' '.join(kind) for kind in kinds)}): give series of one."
        )


def learns(attack: object) -> TypeGuard[Learning]:
    """Whether what an attack, or a class of attacks, learns can serve several series."""
    return hasattr(attack, "learn")


def kind_of(attack: Attack) -> Kind:
    """What a file keeps of what an attack learned."""
    return "picture" if isinstance(attack, Patch) else "change"


def applied(attack: Attack, path: Path) -> Pasted | Repeated:
    """The attack that puts what `attack` learned, kept in a file by `picture.keep`, onto a series."""
    if isinstance(attack, Patch):
        return Pasted(str(path), attack.size, attack.unit, attack.place, attack.shape, attack.degrees)
    return Repeated(str(path))

"""Surrogate: a task whose victim is replaced by one or several other classifiers, whose logits are averaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake


@dataclass(frozen=True, slots=True, eq=False)
class _Intakes(Intake):
    """The intakes of several classifiers, side by side: (classifier, batch, ...)."""

    parts: tuple[Intake, ...] = ()

    def take(self, entries: Tensor | slice) -> Intake:
        return _gathered(tuple(part.take(entries) for part in self.parts))


def _gathered(parts: tuple[Intake, ...]) -> _Intakes:
    first = parts[0]
    return _Intakes(first.gain, first.offset, first.window, first.inverted, first.white, first.table, parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Panel(Classifier):
    """Several classifiers with the same labels that answer with the mean of their logits."""

    members: tuple[Classifier, ...] = ()

    def logits(self, values: Tensor, intake: Intake) -> Tensor:
        if not isinstance(intake, _Intakes):
            raise AttackError("The surrogates were asked without what they read.")
        found = [member.logits(values, part) for member, part in zip(self.members, intake.parts, strict=True)]
        return reduce(torch.add, found) / len(found)


def panel(task: Task, classifiers: list[Classifier]) -> Task:
    """The task of fooling `classifiers` all at once.

    Raises
    ------
    AttackError
        One gives no gradient, reads something else than the victim, or has other labels than the first.
    """
    first = classifiers[0]
    for one in classifiers:
        if not one.white_box:
            raise AttackError(f"The surrogate {one.name} gives no gradient: choose one in a white-box format.")
        if one.findings.labels != first.findings.labels or one.findings.activation != first.findings.activation:
            raise AttackError(
                f"The surrogates {first.name} and {one.name} have other labels: choose surrogates with the same ones."
            )
    parts = [_against(task, one) for one in classifiers]
    if len(parts) == 1:
        return parts[0]
    joined = _Panel(
        first.network,
        first.findings,
        first.unit,
        first.reads,
        name=" + ".join(one.name for one in classifiers),
        batch=min(one.batch for one in classifiers),
        members=tuple(classifiers),
    )
    return replace(parts[0], classifier=joined, intake=_gathered(tuple(part.intake for part in parts)))


def _against(task: Task, classifier: Classifier) -> Task:
    """The same entries with another classifier to fool. What is asked of it counts as well."""
    if classifier.reads != task.classifier.reads or task.volume is None:
        raise AttackError(
            f"The surrogate {classifier.name} reads {classifier.reads} and the victim reads {task.classifier.reads}: "
            "choose a surrogate that reads the same."
        )
    task.threat.goal.check(classifier.findings)
    more = [label for label in classifier.findings.labels if label not in task.classifier.findings.labels]
    if more:
        raise AttackError(
            f"The surrogate {classifier.name} has the label {more[0]!r}, which {task.classifier.name} has not: choose a surrogate "
            "whose labels are among the victim's."
        )
    places = [task.classifier.findings.labels.index(label) for label in classifier.findings.labels]
    intake = classifier.intake(task.volume, task.rows)
    return replace(task, classifier=classifier, intake=intake, decided=task.decided[:, places])

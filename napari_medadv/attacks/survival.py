"""Survival: how often a perturbation still reaches its goal when the image is acquired again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.perturb import Perturbation, task_of
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.classifier import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.progress import Progress, part, silent
from napari_medadv.volume import Floats


@dataclass(frozen=True, slots=True)
class Survival:
    """Of how many acquisitions, in how many the goal was reached, and by what share of the attacked slices (or volumes).

    Attributes
    ----------
    times, reached
        Acquisitions of the series, and those that reach the goal.
    share
        Of the attacked slices (or the volume) that were not as wished before, in all acquisitions, those whose margin is above
        zero.
    """

    times: int
    reached: int
    share: float

    @property
    def sentence(self) -> str:
        """For a person."""
        return (
            f"reached in {self.reached} of {self.times} fresh acquisitions ({self.share:.1%} of what was to be fooled)"
        )


def survival(
    classifier: Classifier,
    found: Perturbation,
    retake: Retake,
    *,
    times: int = 50,
    seed: int = 1,
    progress: Progress = silent,
) -> Survival:
    """Acquire an adversarial series again and again, and ask the classifier each time.

    Parameters
    ----------
    classifier
        Who is to be fooled.
    found
        The perturbation, as stored.
    retake
        What an acquisition changes.
    times
        How many acquisitions.
    seed
        Of their noise, motion and rounding; not that of the attack, or it would meet what it has seen.
    progress
        Told once a batch.
    """
    check_times(times)
    rng = draw.seeded(seed)
    entries = len(found.clean.voxels) if classifier.reads == "slices" else 1
    size = classifier.batch if classifier.reads == "slices" else 1
    attacked = np.array([entries == 1 or index in found.slices for index in range(entries)])
    stood = np.zeros(entries, bool)
    reached, share = 0, 0.0
    for count in range(times):
        scores, margins = [], []
        for start in range(0, entries, size):
            told = part(
                progress, (count + start / entries) / times, (count + min(start + size, entries) / entries) / times
            )
            rows = (
                np.arange(start, min(start + size, entries)) if classifier.reads == "slices" else np.array(found.slices)
            )
            task, _ = task_of(classifier, found.clean, found.threat, found.before, rows, rng, told)
            values = retake(task, classifier.tensor(found.adversarial, rows))
            with torch.no_grad():
                logits = task.logits(values)
                margins.append(_margin(task, logits))
                if count == 0:
                    stood[start : start + size] = _margin(task, task.logits(task.clean)) <= 0
            scores.append(classifier.probabilities(logits))
        reached += found.threat.goal.reached(
            found.before, _prediction(classifier, np.concatenate(scores)), found.slices
        )
        counted = attacked & stood if (attacked & stood).any() else attacked
        share += float((np.concatenate(margins) > 0)[counted].mean())
    progress(1.0, "acquiring again")
    return Survival(times, reached, share / times)


def check_times(times: int, *, least: int = 1) -> None:
    """Refuse a number of acquisitions that shows nothing."""
    if times < least:
        raise AttackError(f"{times} acquisitions show nothing: take at least {least}.")


def _margin(task: Task, logits: Tensor) -> Floats:
    margin: Floats = task.threat.goal.margin(logits, task.classifier.findings, task.decided).cpu().numpy()
    return margin


def _prediction(classifier: Classifier, slices: Floats) -> Prediction:
    if classifier.reads == "volume":
        return Prediction(classifier.findings, slices[0])
    return Prediction.pooled(classifier.findings, slices, classifier.pooling)

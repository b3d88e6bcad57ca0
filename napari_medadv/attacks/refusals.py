"""Refusals: what an attack cannot be asked for, said before any work is done."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass

import numpy as np

from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.grid import refuse_real
from napari_medadv.errors import AttackError, RegionError, wrong_kind
from napari_medadv.model.classifier import Classifier
from napari_medadv.settings import make, plain
from napari_medadv.threat import Goal, Region, Threat
from napari_medadv.threat.budget import check
from napari_medadv.volume import Volume


def refuse(classifier: Classifier, volume: Volume, threat: Threat, attack: Attack) -> tuple[int, ...]:
    """Everything that can be refused before any work is done; the chosen slices."""
    _kinds(classifier, volume, threat, attack)
    suits(classifier, threat.goal, attack)
    finite(attack)
    refuse_real(volume)
    slices = threat.region.chosen(volume.shape)
    quantum = float(volume.scale.take(np.array(slices)).quantum.min())
    if volume.voxels.itemsize > 2:  # attacks stand on float32, which cannot tell such values apart by every quantum
        quantum = max(
            quantum, float(np.spacing(max(np.abs(volume.values(index)).max() for index in np.array(slices)[:, None])))
        )
    check(threat.budget, quantum, volume.scale.unit)
    if volume.scale.padding is not None and not any(_image(volume, threat.region, index) for index in slices):
        raise RegionError(
            "The region holds nothing but padding, where there is no image: mark at least one other voxel."
        )
    return slices


def _kinds(classifier: Classifier, volume: Volume, threat: Threat, attack: Attack) -> None:
    """Refuse what is something else than it is taken for, and settings that the attack has not."""
    if not isinstance(classifier, Classifier):
        raise AttackError(wrong_kind("Who is attacked", classifier, "a Classifier", "take load_classifier(path)"))
    if not isinstance(volume, Volume):
        raise AttackError(wrong_kind("What is attacked", volume, "a Volume", "make one by decode(scan(path)[0])"))
    if not isinstance(threat, Threat):
        raise AttackError(wrong_kind("The threat", threat, "a Threat", "make one, as in Threat(goal, budget)"))
    if isinstance(attack, type) or not callable(attack):
        raise AttackError(
            wrong_kind("The attack", attack, "an attack with its settings", "make one, as in PGD(steps=40)")
        )
    if type(attack).__module__.startswith("napari_medadv.attacks."):
        make(type(attack), plain(attack))


def _image(volume: Volume, region: Region, index: int) -> bool:
    """Whether the region holds image, and not padding alone, in a slice."""
    there = ~volume.padded(slice(index, index + 1))[0]
    if region.mask is not None:
        there &= region.mask[index, ..., None] if volume.colour else region.mask[index]
    return bool(there.any())


def finite(attack: Attack) -> None:
    """Refuse an endless setting of an attack of ours; only a confidence may be, and drives on to the last step.

    Raises
    ------
    AttackError
        A setting is no finite number.
    """
    if not is_dataclass(attack) or not type(attack).__module__.startswith("napari_medadv."):
        return
    for field in fields(attack):
        value = getattr(attack, field.name)
        if isinstance(value, float) and not (math.isfinite(value) or (field.name == "confidence" and value > 0)):
            raise AttackError(
                f"{type(attack).__name__} takes {field.name} as a finite number, not {value:g}: correct it."
            )


def suits(classifier: Classifier, goal: Goal, attack: Attack) -> None:
    """Refuse a goal or an attack that this classifier cannot be asked, before a voxel is read.

    Raises
    ------
    ThreatError
        The goal names what the classifier has not.
    AttackError
        The attack needs gradients and the classifier gives none.
    """
    goal.check(classifier.findings)
    if getattr(attack, "needs_gradient", False) and not classifier.white_box:
        raise AttackError(
            f"{type(attack).__name__} needs gradients, and {classifier.name} only answers queries: "
            "choose an attack that needs none, or attach the network in a white-box format."
        )

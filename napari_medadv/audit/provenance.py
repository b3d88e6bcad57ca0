"""Provenance: the words by which a derived DICOM instance says how it was made."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from pathlib import PurePath
from typing import Any

from napari_medadv import __version__
from napari_medadv.attacks import Perturbation
from napari_medadv.audit.threat_json import budget_unit
from napari_medadv.dicom.derivation import LONGEST_TEXT, Derivation
from napari_medadv.model import Classifier
from napari_medadv.settings import fields


def derivation_of(found: Perturbation, classifier: Classifier) -> Derivation:
    """The derivation of a perturbation, for the header of the derived series."""
    budget = found.threat.budget
    amount = f"{budget.epsilon:g} {budget_unit(budget, found.clean.scale.unit)}"
    label = f"{type(found.attack).__name__} {type(budget).__name__} {amount}"
    return Derivation(derivation_text(found, classifier), label, version=__version__)


def derivation_text(found: Perturbation, classifier: Classifier) -> str:
    """Attack, goal, budget with its unit, region, classifier with its digest, and seed: at most 1024 characters."""
    threat = found.threat
    digest = f" (SHA-256 {classifier.sha256})" if classifier.sha256 else ""
    words = (
        f"Adversarial test image, not for diagnosis. {_without_folders(found.attack)!r}, seed {found.seed}, goal {threat.goal!r}, "
        f"budget {threat.budget!r} {budget_unit(threat.budget, found.clean.scale.unit)}, region: {threat.region}, "
        f"against classifier {classifier.name}{digest}; goal {'reached' if found.reached else 'not reached'}."
    )
    allowed = [fact for fact in found.clean.facts if fact.startswith("allowed by choice")]
    words = " ".join([words, *(f"Source: {fact}." for fact in allowed)]).replace("\\", "/")
    return words if len(words) <= LONGEST_TEXT else words[: LONGEST_TEXT - 3] + "..."


def _without_folders(attack: Any) -> Any:
    """The attack, whose files are named without the folders that they lie in: those may name a person."""
    if not is_dataclass(attack) or isinstance(attack, type):
        return attack
    told = {name: getattr(attack, name) for name in fields(type(attack))}
    return replace(attack, **{name: _name_of(value) for name, value in told.items() if isinstance(value, str | tuple)})


def _name_of(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_name_of, value))
    return (
        PurePath(value.replace("\\", "/")).name if isinstance(value, str) and ("/" in value or "\\" in value) else value
    )

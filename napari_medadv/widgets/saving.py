"""Saving: an outcome as a derived DICOM series that says what it is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.save import save
from napari_medadv.display import Outcome
from napari_medadv.errors import OutputError
from napari_medadv.progress import Progress, silent


def save_outcome(outcome: Outcome, folder: Path, progress: Progress = silent) -> tuple[Path, ...]:
    """Write the adversarial volume of `outcome` into the new folder; the files.

    Raises
    ------
    OutputError
        The series was not read from DICOM, or the folder cannot take it.
    """
    series = outcome.loaded.series
    if series is None:
        raise OutputError(
            "This image was not read from DICOM files, so there is nothing to derive new ones from: load a DICOM series first."
        )
    return save(outcome.perturbation.adversarial, series, derivation(outcome), folder, progress=progress)


def derivation(outcome: Outcome) -> Derivation:
    """What was done, for every file: attack, budget with unit, model digest and seed, without any identity."""
    found = outcome.perturbation
    unit = outcome.loaded.volume.scale.unit
    goal, attack = found.threat.goal, type(found.attack).__name__
    budget = f"{type(found.threat.budget).__name__} {found.threat.budget.epsilon:g} {unit}"
    text = (
        f"Adversarial perturbation: {found.attack!r}, goal {goal!r}, budget {budget}, region {found.threat.region}, seed {found.seed}, "
        f"classifier {outcome.classifier.name} sha256 {outcome.classifier.sha256 or 'unknown'}, "
        f"goal {'reached' if found.reached else 'not reached'} as stored. Not for diagnosis."
    )
    try:
        number = version("napari-medadv")
    except PackageNotFoundError:
        number = ""
    return Derivation(
        text[:1024].replace("\\", "/"), f"{attack} {found.threat.budget.epsilon:g} {unit}", version=number
    )

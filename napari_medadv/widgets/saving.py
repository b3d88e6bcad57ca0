"""Saving: an outcome as a derived DICOM series that says what it is."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.audit.provenance import derivation_of
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
    told = derivation_of(outcome.perturbation, outcome.classifier)
    return save(outcome.perturbation.adversarial, series, told, folder, progress=progress)

"""Region: what detectors point at, kept as a DICOM Segmentation of the series."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from napari_medadv import __version__
from napari_medadv.detect import Examination, suspicious_region
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.objects import segmentation
from napari_medadv.dicom.series import Series
from napari_medadv.errors import OutputError


def write_region(found: Examination, model: str, series: Series, path: Path) -> str:
    """Write the suspicious region into the new file `path`; a few words on what it shows.

    Raises
    ------
    DetectorError
        There is no alarm, or no detector says where.
    OutputError
        The file exists, or cannot be written; or the series takes no segmentation.
    MissingExtra
        highdicom is not installed.
    """
    if path.exists():
        raise OutputError(f"{path.name} exists already: name a new file for the region.")
    region, words = suspicious_region(found)
    told = f"Where detectors see signs of tampering, {words}; p = {found.p:.3f} at {100 * found.level:g} %; classifier {model}"
    derivation = Derivation(told.replace("\\", "/"), "suspicious", version=__version__, adversarial=False)
    made = segmentation(region, "suspicious", series, derivation)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        made.save_as(aside, enforce_file_format=True)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): choose another place.") from error
    return words

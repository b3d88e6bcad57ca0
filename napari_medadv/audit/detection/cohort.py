"""Cohort: whose images are learnt from, whose are examined. No patient is in both, and no identity is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_medadv.audit.roster import none_named, read_roster
from napari_medadv.dicom import Series, scan
from napari_medadv.dicom.alone import pydicom
from napari_medadv.errors import SeriesError
from napari_medadv.progress import Progress, silent

_LEAST = 5


@dataclass(frozen=True, slots=True)
class Image:
    """A series, and its patient's number in this run."""

    series: Series
    patient: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Clean images for the reference, and images of other patients to be examined."""

    reference: tuple[Image, ...]
    examined: tuple[Image, ...]


def cohort(
    folder: Path,
    table: Path | None = None,
    *,
    split: str = "",
    clean: int = 60,
    seed: int = 0,
    progress: Progress = silent,
) -> Cohort:
    """All series below `folder`, patients in a seeded random order, the first `clean` images or so for the reference.

    Parameters
    ----------
    table
        A CSV with the columns `file` (relative to the table), and, where they are there, `patient` and `split`: only the
        series of these files count.
    split
        Only rows with this word in the column `split`.

    Raises
    ------
    SeriesError
        The table cannot be used, or there are too few series or patients.
    """
    rows = None if table is None else read_roster(table, split)
    found = []
    there = scan(folder, progress=progress).series
    for series in there:
        path = series.instances[0].path
        if rows is not None and path.resolve() not in rows:
            continue
        found.append((series, (rows or {}).get(path.resolve(), {}).get("patient") or _patient(path)))
    if table is not None and there and not found:
        raise none_named(len(there), folder, len(rows or {}), table, split)
    patients = sorted({patient for _, patient in found})
    order = {who: place for place, who in enumerate(np.random.default_rng(seed).permutation(patients).tolist())}
    images = [Image(series, order[who]) for series, who in found]
    images.sort(key=lambda image: (image.patient, image.series.uid))
    last = images[min(clean, len(images)) - 1].patient if images else -1
    reference = tuple(image for image in images if image.patient < last)
    reference += tuple(image for image in images if image.patient == last)[: max(clean - len(reference), 0)]
    examined = tuple(image for image in images if image.patient > last)
    if clean < _LEAST:
        raise SeriesError(f"A reference of {clean} clean series is too small: give --clean {_LEAST} or more.")
    if len(reference) < _LEAST or not examined:
        raise SeriesError(
            f"{len(images)} series of {len(patients)} patients were found: {clean} clean ones for the reference and others of "
            "further patients to be examined are needed; give more, or a smaller --clean."
        )
    return Cohort(reference, examined)


def shuffled(found: Sequence[Series], seed: int = 0) -> tuple[Series, ...]:
    """Patients in a seeded random order, each with all series: the order of files may be that of scanners or years."""
    who = [_patient(series.instances[0].path) for series in found]
    patients = sorted(set(who))
    place = dict(zip(patients, np.random.default_rng(seed).permutation(len(patients)).tolist(), strict=True))
    order = sorted(range(len(found)), key=lambda index: (place[who[index]], found[index].uid))
    return tuple(found[index] for index in order)


def patients(found: Sequence[Series]) -> int:
    """Of how many patients the series are."""
    return len({_patient(series.instances[0].path) for series in found})


def _patient(path: Path) -> str:
    """Who is meant, for telling patients apart only: it is never written."""
    tags = ["PatientID", "StudyInstanceUID"]
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)
    return str(header.get("PatientID") or header.get("StudyInstanceUID") or path)

"""save(): a derived series on disk, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.encode import Syntax, derived
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.series import Series
from napari_medadv.errors import MedAdvError, OutputError, system_reason
from napari_medadv.progress import Progress, silent, throttled
from napari_medadv.volume import Volume


def save(
    volume: Volume,
    series: Series,
    derivation: Derivation,
    out: Path,
    *,
    keep_study: bool = False,
    deidentify: bool = False,
    syntax: Syntax = "explicit",
    progress: Progress = silent,
) -> tuple[Path, ...]:
    """Write a volume as a series derived from `series` into the new folder `out`; the files, in the order of the instances.

    The files are written into a hidden folder beside `out` that is renamed at the end: a killed process or a full disk
    leaves nothing that looks whole.

    Raises
    ------
    OutputError
        `out` lies in the source, holds something already, or cannot be written; or the volume is not of this series.
    Cancelled
        `progress` said stop.
    """
    out = Path(out)
    refuse_output(out, series)
    report = throttled(progress)
    count = len(series.instances)
    aside: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
        names = []
        images = derived(volume, series, derivation, keep_study=keep_study, deidentify=deidentify, syntax=syntax)
        for index, dataset in enumerate(images):
            report(index / count, f"writing image {index + 1} of {count}")
            names.append(f"{index + 1:04d}.dcm")
            _write(dataset, aside / names[-1])
        aside.chmod(0o755)
        aside.replace(out)
    except OSError as fault:
        raise OutputError(
            f"{out.name} cannot be written ({system_reason(fault)}): choose another folder or free some space."
        ) from fault
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    progress(1.0, f"{count} images written")
    return tuple(out / name for name in names)


def _write(dataset: Dataset, path: Path) -> None:
    try:
        with quiet():
            dcmwrite(path, dataset, enforce_file_format=True)
    except (OSError, MedAdvError):
        raise
    except Exception as fault:  # pydicom raises nearly everything on an element that it read and cannot write
        raise OutputError(
            "An element of the source cannot be written again "
            f"({str(fault).splitlines()[0] if str(fault) else type(fault).__name__}): correct the source, or save from another copy."
        ) from fault


def refuse_output(out: Path, series: Series) -> None:
    """Refuse a folder that holds something already, or that would write into, under or over the source.

    Raises
    ------
    OutputError
        See above.
    """
    target, root = out.resolve(), series.root.resolve()
    if target == root or target in root.parents or (root.is_dir() and root in target.parents):
        raise OutputError(f"{out.name} lies in or over the source images: choose a folder elsewhere.")
    for instance in series.instances:
        path = instance.path.resolve()
        if target == path or target in path.parents:
            raise OutputError(f"{out.name} lies in or over the source images: choose a folder elsewhere.")
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise OutputError(f"{out.name} exists already: choose a new or empty folder.")

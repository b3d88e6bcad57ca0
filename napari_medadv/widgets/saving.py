"""Saving: an outcome as a derived DICOM series that says what it is, and as objects for other viewers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from napari_medadv.audit.folder import refuse, whole
from napari_medadv.audit.objects import Kind, write_objects
from napari_medadv.audit.panel import write_panel
from napari_medadv.audit.provenance import derivation_of
from napari_medadv.dicom import scan
from napari_medadv.dicom.save import save
from napari_medadv.display import Outcome
from napari_medadv.errors import OutputError
from napari_medadv.measure import distortion
from napari_medadv.progress import Progress, part, silent


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written.

    Attributes
    ----------
    files
        Of the series.
    objects
        The kinds that were written.
    left_out
        Why one that was asked for was not, each in a sentence.
    """

    files: tuple[Path, ...]
    objects: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def words(self, folder: str) -> str:
        """One sentence for a person, and one for each object that was left out."""
        count = f"{len(self.files)} file{'s' if len(self.files) != 1 else ''}"
        with_them = f" with {' and '.join(self.objects)}" if self.objects else ""
        return " ".join([f"Saved {count}{with_them} to {folder}, marked as synthetic.", *map(_sentence, self.left_out)])


def save_outcome(
    outcome: Outcome, folder: Path, progress: Progress = silent, *, objects: Collection[Kind] = ()
) -> Saved:
    """Write the adversarial volume of `outcome` into the new folder; with objects, into `series` and `objects` in it.

    Raises
    ------
    OutputError
        The series was not read from DICOM, or the folder cannot take it.
    MissingExtra
        Objects are asked for and highdicom is not installed.
    """
    series, found = outcome.loaded.series, outcome.perturbation
    if series is None:
        raise OutputError(
            "This image was not read from DICOM files, so there is nothing to derive new ones from: load a DICOM series first."
        )
    told = derivation_of(found, outcome.classifier)
    if not objects:
        return Saved(save(found.adversarial, series, told, folder, progress=progress))
    refuse(folder, series.root)
    with whole(folder) as place:
        files = save(found.adversarial, series, told, place / "series", progress=part(progress, 0.0, 0.6))
        panel = place / "panel.png"
        if "picture" in objects:
            progress(0.6, "drawing")
            write_panel(found, distortion(found.clean, found.adversarial), panel)
        progress(0.7, "writing objects")
        (derived,) = scan(place / "series").series
        left_out = write_objects(found, derived, told, panel, place / "objects", objects)
        written = tuple(sorted(path.stem for path in (place / "objects").iterdir()))
    return Saved(tuple(folder / "series" / path.name for path in files), written, left_out)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"

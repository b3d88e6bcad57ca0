"""Delivery: a perturbation becomes a folder (derived series, record, picture), which is read back and judged again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_medadv.attacks import Perturbation
from napari_medadv.audit.attack_files import kept_files
from napari_medadv.audit.fingerprint import differing, fingerprint
from napari_medadv.audit.folder import refuse, whole
from napari_medadv.audit.meaning import meaning_words
from napari_medadv.audit.objects import write_objects
from napari_medadv.audit.panel import write_panel
from napari_medadv.audit.paths import kept_path
from napari_medadv.audit.provenance import derivation_of
from napari_medadv.audit.record import Attachment, Record, record_of
from napari_medadv.dicom import Series, decode, save, scan
from napari_medadv.dicom.encode import Syntax
from napari_medadv.dicom.geometry import Allowable
from napari_medadv.errors import OutputError
from napari_medadv.measure import Distortion, distortion
from napari_medadv.model import Classifier
from napari_medadv.progress import Progress, part, silent
from napari_medadv.threat.amount import Amount
from napari_medadv.threat.goal_words import done_words, goal_words


@dataclass(frozen=True, slots=True)
class Writing:
    """Where and how a result is written.

    Attributes
    ----------
    out
        The new folder.
    source
        The folder or file that the series came from.
    keep_study
        Whether the derived series stays with its patient and study.
    deidentify
        Whether the patient's identity is removed; the source's path then stays out of the record, too.
    allow
        Problems of the source that were overlooked; the derived series has them, too.
    objects
        Whether the difference, the region, the verdicts and the picture are written as DICOM objects, too.
    syntax
        "explicit" (not compressed), or "source" (compressed as the source, where that is lossless).
    asked
        How the person said the budget; None where it was in the unit of the series.
    """

    out: Path
    source: Path
    keep_study: bool = False
    deidentify: bool = False
    allow: tuple[Allowable, ...] = ()
    asked: Amount | None = None
    objects: bool = False
    syntax: Syntax = "explicit"


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What was written and read back.

    Attributes
    ----------
    record, size
        What `record.json` holds, and how far the perturbation goes.
    out
        The folder.
    still_reached
        Whether the goal is reached by the series as read back from its files.
    words
        For a person, a few lines.
    """

    record: Record
    size: Distortion
    out: Path
    still_reached: bool
    words: str

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "out": str(self.out),
            "reached": self.record.result["reached"],
            "read_back": {"same_integers": True, "reached": self.still_reached},
            "record": self.record.json(),
        }


def deliver(
    found: Perturbation,
    classifier: Classifier,
    attachment: Attachment,
    series: Series,
    writing: Writing,
    *,
    progress: Progress = silent,
) -> Delivery:
    """Write `series/`, `record.json`, `panel.png` and, where asked for, `objects/` into one folder that is there whole or not at all.

    Raises
    ------
    OutputError
        The folder cannot be written, or what was written does not read back as the integers that were judged.
    MissingExtra
        Objects are asked for and highdicom is not installed.
    """
    refuse(writing.out, writing.source)
    size = distortion(found.clean, found.adversarial)
    path = None if writing.deidentify else kept_path(writing.source, writing.out)
    named = replace(found, attack=kept_files(found.attack, writing.out))
    record = record_of(named, size, classifier, attachment, path=path, allow=writing.allow, asked=writing.asked)
    with whole(writing.out) as folder:
        progress(0.1, "writing")
        save(
            found.adversarial,
            series,
            derivation_of(found, classifier),
            folder / "series",
            keep_study=writing.keep_study,
            deidentify=writing.deidentify,
            syntax=writing.syntax,
        )
        record.write(folder / "record.json")
        progress(0.5, "drawing")
        write_panel(found, size, folder / "panel.png")
        (derived,) = scan(folder / "series").series
        notes: tuple[str, ...] = ()
        if writing.objects:
            told = derivation_of(found, classifier)
            notes = write_objects(found, derived, told, folder / "panel.png", folder / "objects")
        still = _read_back(found, classifier, derived, writing.allow, part(progress, 0.6, 1.0))
    return Delivery(record, size, writing.out, still, _words(found, record, size, writing.out, still, notes))


def _read_back(
    found: Perturbation, classifier: Classifier, series: Series, allow: tuple[Allowable, ...], progress: Progress
) -> bool:
    """Whether the files still reach the goal."""
    volume = decode(series, allow=allow)
    wrong = differing(fingerprint(volume), fingerprint(found.adversarial))
    if wrong:
        raise OutputError(
            f"{wrong} of {len(volume.voxels)} written slices read back as other integers than those that were judged, "
            "so nothing was kept: report this with the transfer syntax of the source."
        )
    after = classifier.predict(volume, progress=progress)
    return found.threat.goal.reached(found.before, after, found.slices)


def _words(
    found: Perturbation, record: Record, size: Distortion, out: Path, still: bool, notes: tuple[str, ...]
) -> str:
    aim = done_words(found.threat.goal)
    verdict = f"reached: {aim}" if found.reached else f"NOT reached: not {aim} within the budget"
    back = f"still {aim}" if still else f"not {aim}"
    return "\n".join(
        [
            f"before    {found.before.sentence}   (* marks what is present)",
            f"after     {found.after.sentence}",
            f"goal      {goal_words(found.threat.goal)} {verdict}, as stored",
            f"budget    {meaning_words(record.budget)}",
            f"change    {size.sentence}",
            f"cost      {found.queries} queries, {found.gradients} gradients",
            f"read back: same integers, {back}",
            *(f"note      {fact}" for fact in (*found.clean.facts, *notes)),
            f"written   {out}",
            *(f"warning: {fact}" for fact in found.facts),
        ]
    )

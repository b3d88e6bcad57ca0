"""Replay: run a record again and compare the bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from napari_medadv.attacks import Attack, Perturbation, perturb
from napari_medadv.audit.fingerprint import differing, fingerprint
from napari_medadv.audit.record import Record, reading
from napari_medadv.audit.versions import versions
from napari_medadv.catalogue import name_of
from napari_medadv.dicom import Series, decode, scan
from napari_medadv.dicom.geometry import ALLOWABLE, Allowable
from napari_medadv.errors import RecordError, SeriesError
from napari_medadv.model import Classifier
from napari_medadv.progress import Progress, part, silent


def source_of(record: Record, folder: Path, given: Path | None) -> tuple[Series, Path]:
    """The source series of a record that lies in `folder`, and the path it was found at.

    Raises
    ------
    RecordError
        It is not there.
    """
    if given is None and record.deidentified:
        raise RecordError(
            "The record keeps no path of its source, because it was de-identified: name it with --source."
        )
    path = given or (folder / record.source["path"])
    if not path.exists():
        raise RecordError(f"The source series is not at {path.name} any more: name its folder with --source.")
    uid = record.source["series_uid"]
    found = [series for series in scan(path).series if series.uid == uid]
    if found:
        return next((each for each in found if len(found) > 1 and _is_source(each, record)), found[0]), path
    raise RecordError(f"{path.name} does not hold the series {uid} of the record: name the right folder with --source.")


def _is_source(series: Series, record: Record) -> bool:
    """Whether these are the integers of the record: one uid may hold several volumes."""
    if series.frames != len(record.source["sha256"]):
        return False
    try:
        return not differing(fingerprint(decode(series, allow=ALLOWABLE)), tuple(record.source["sha256"]))
    except SeriesError:
        return False


def _without_keeping(attack: Attack) -> Attack:
    """The attack that writes no file beside its result: a record may come from anywhere."""
    return replace(attack, keep="") if getattr(attack, "keep", "") else attack  # type: ignore[type-var]  # a dataclass


def allowance(record: Record, more: Collection[Allowable] = ()) -> tuple[Allowable, ...]:
    """The problems of the source that the record says were overlooked by choice, and `more` of them.

    Raises
    ------
    RecordError
        The record names a problem that nobody may overlook.
    """
    said = record.source.get("allow", [])
    if not isinstance(said, list) or not all(kind in ALLOWABLE for kind in said):
        raise RecordError(
            f"The record allows {_short(said)}, and only {', '.join(ALLOWABLE)} may be overlooked: run the attack again."
        )
    return tuple(kind for kind in ALLOWABLE if kind in said or kind in more)


def replay(
    record: Record,
    series: Series,
    classifier: Classifier,
    *,
    allow: Collection[Allowable] = (),
    progress: Progress = silent,
) -> Perturbation:
    """Attack the same series again, as recorded; the bytes of its pixel data are the same.

    Parameters
    ----------
    allow
        Problems of the source to overlook besides those that the record says were overlooked.

    Raises
    ------
    RecordError
        Source, classifier or result are not those of the record.
    """
    import torch

    from napari_medadv.model.threads import threads

    volume = decode(series, allow=allowance(record, allow), progress=part(progress, 0.0, 0.2))
    wrong = differing(fingerprint(volume), tuple(record.source["sha256"]))
    if wrong:
        raise RecordError(
            f"{wrong} of {len(volume.voxels)} slices of the source are not those of the record: give the unchanged series."
        )
    batch = record.classifier.get("batch")
    if isinstance(batch, int) and batch > 0:
        classifier = replace(classifier, batch=batch)
    for key, here in reading(classifier).items():
        said = record.classifier.get(key)
        if here != said:
            raise RecordError(
                f"The classifier's {key} is {_short(here)}, and the record says {_short(said)}: give the same weights and card "
                "with --model and --card."
            )
    with threads(int(record.versions.get("threads", torch.get_num_threads()))):
        found = perturb(
            classifier,
            volume,
            record.threat,
            _without_keeping(record.attack),
            seed=record.seed,
            progress=part(progress, 0.2, 1.0),
        )
        now = versions()
    wrong = differing(fingerprint(found.adversarial), tuple(record.result["sha256"]))
    if wrong:
        name = name_of(type(record.attack))
        other = [f"{one} {now[one]} instead of {said}" for one, said in record.versions.items() if now.get(one) != said]
        same = f"the code of {name} may have changed, or it draws from more than task.rng"
        reason = (
            f"this machine has {', '.join(other)}"
            if other
            else f"the versions are the same, so {same if ':' in name else 'the card may have changed'}"
        )
        raise RecordError(f"The replay differs in {wrong} of {len(volume.voxels)} slices: {reason}.")
    return found


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "..."

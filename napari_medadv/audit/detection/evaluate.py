"""evaluate(): score clean, benign, attacked and adaptively attacked images with every detector; what is scored is kept and not done again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from napari_medadv.audit.detection.cases import Case, Clean, Kind, Scene
from napari_medadv.audit.detection.cohort import Cohort, Image
from napari_medadv.audit.detection.peers import Peer
from napari_medadv.catalogue import name_of
from napari_medadv.detect import Detector, Reference, calibrate, read_reference, write_reference
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.reference import card_digest
from napari_medadv.dicom import decode
from napari_medadv.errors import AttackError, DetectorError, MedAdvError, OutputError, VacuousBudget
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, part, silent
from napari_medadv.volume import Volume

_SCORES, _SETTINGS, _REFERENCE = "scores.jsonl", "settings.json", "reference.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One image after one case.

    Attributes
    ----------
    image
        A digest of the clean image: what it is, and nobody's name.
    patient
        A number within this run.
    changed
        The largest change of a voxel, in grey levels of 255 of the window.
    scores
        By detector; one that did not apply is missing, and all are where an attack did not reach its goal.
    """

    image: str
    patient: int
    case: str
    kind: Kind
    reached: bool
    changed: float
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rows, and the reference that they are judged by."""

    classifier: str
    detectors: dict[str, Detector]
    reference: Reference
    rows: tuple[Row, ...]
    skipped: tuple[str, ...]


def evaluate(
    cohort: Cohort,
    classifier: Classifier,
    detectors: Sequence[Detector],
    cases: Sequence[Case],
    folder: Path,
    *,
    examined: int = 100,
    attacked: int = 40,
    evading: int = 10,
    skip: int = 0,
    peers: Sequence[Peer] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Score, image by image; a run that was stopped goes on where it was.

    Parameters
    ----------
    folder
        Where scores are kept; made if it is not there.
    examined
        How many images beside the reference are looked at clean.
    attacked
        How many of these undergo the controls and attacks.
    skip
        How many of these, the first, are looked at clean only: they had a part in a choice, perhaps.
    evading
        How many of the attacked ones undergo the adaptive attacks.

    Raises
    ------
    DetectorError
        The folder holds a run of another classifier, cohort, seed or other detectors; or calibration refuses.
    """
    if not detectors:
        raise DetectorError("No detector is to be evaluated: name one at least.")
    named = {name_of(type(each)): each for each in detectors}
    _settled(folder, _settings(cohort, classifier, named, seed), {case.name: repr(case) for case in cases})
    reference = _reference(folder, cohort, classifier, detectors, part(progress, 0.0, 0.1))
    scene = Scene(classifier, named, reference)
    ready, skipped = _prepared(peers, cohort, scene, seed, part(progress, 0.1, 0.12))
    rows = {(row.image, row.case): row for row in _kept(folder / _SCORES)}
    watch = part(progress, 0.12, 1.0)
    chosen_images = cohort.examined[:examined]
    work: list[tuple[Image, tuple[Case, ...]]] = [(image, (Clean(),)) for image in chosen_images]
    work += [
        (image, tuple(case for case in cases if case.kind != "adaptive" or place < evading))
        for place, image in enumerate(chosen_images[skip : skip + attacked])
    ]
    total, count = sum(len(chosen) for _, chosen in work), 0
    for image, chosen in work:
        volume = decode(image.series)
        key = sha256(volume.voxels.tobytes()).hexdigest()[:16]
        for case in chosen:
            own = part(watch, count / total, (count + 1) / total)
            count += 1
            own(0.0, f"{case.name}, image {count} of {total}")
            if _whole(rows.get((key, case.name)), ready):
                continue
            try:
                row = _row(case, key, image, volume, scene, ready, seed, own)
            except (DetectorError, AttackError, VacuousBudget) as error:
                skipped.append(f"{case.name}: {error}")
                continue
            _keep(folder / _SCORES, row)
            rows[key, case.name] = row
    progress(1.0, "evaluated")
    return Evaluation(classifier.name, named, reference, tuple(rows.values()), tuple(dict.fromkeys(skipped)))


def read_evaluation(folder: Path, classifier: Classifier, detectors: Sequence[Detector]) -> Evaluation:
    """What has been scored so far.

    Raises
    ------
    DetectorError
        There is no run in the folder.
    """
    named = {name_of(type(each)): each for each in detectors}
    reference = read_reference(folder / _REFERENCE)
    reference.matching(list(named.items()))
    if (reference.classifier, reference.card) != (classifier.sha256, card_digest(classifier)):
        raise DetectorError(
            f"{folder.name} holds an evaluation of another classifier than {classifier.name}: name its model."
        )
    return Evaluation(classifier.name, named, reference, _kept(folder / _SCORES), ())


def _row(
    case: Case,
    key: str,
    image: Image,
    volume: Volume,
    scene: Scene,
    peers: Sequence[Peer],
    seed: int,
    progress: Progress,
) -> Row:
    own_seed = crc32(f"{seed} {key} {case.name}".encode())
    found = case(volume, scene, own_seed, part(progress, 0.0, 0.7))
    scores = {}
    for name, detector in scene.detectors.items() if found.reached else ():
        state = scene.reference.learnt[name].state
        try:
            scores[name] = float(slice_scores(detector, state, scene.classifier, found.volume, None).max())
        except DetectorError:
            continue
    for peer in peers if found.reached else ():
        scores[peer.name] = peer(scene.classifier, found.volume)
    difference = np.abs(found.volume.voxels.astype(np.int64) - volume.voxels).max()
    low, high = volume.window.limits
    changed = float(difference * volume.scale.quantum.min() / ((high - low) / 255 or 1.0))
    return Row(key, image.patient, case.name, case.kind, found.reached, round(changed, 3), scores)


def _whole(row: Row | None, peers: Sequence[Peer]) -> bool:
    """Whether nothing is left to score: peers may have been named after a row was kept."""
    return row is not None and (not row.reached or all(peer.name in row.scores for peer in peers))


def _settings(cohort: Cohort, classifier: Classifier, detectors: dict[str, Detector], seed: int) -> dict[str, Any]:
    uids = [[image.series.uid for image in part] for part in (cohort.reference, cohort.examined)]
    return {
        "classifier": classifier.sha256,
        "card": card_digest(classifier),
        "detectors": [repr(each) for each in detectors.values()],
        "seed": seed,
        "cohort": sha256(json.dumps(uids).encode()).hexdigest(),
    }


def _settled(folder: Path, settings: dict[str, Any], cases: dict[str, str]) -> None:
    """Note what the scores of a folder belong to; cases may be added, and none may change."""
    path = folder / _SETTINGS
    try:
        before: dict[str, str] = {}
        if path.exists():
            held = json.loads(path.read_bytes())
            if not isinstance(held, dict):
                raise ValueError("its settings are damaged")
            before = held.pop("cases", {})
            if held != settings:
                raise DetectorError(
                    f"{folder.name} holds an evaluation of another classifier, cohort, seed or other detectors: name a new folder."
                )
            changed = [name for name, how in cases.items() if before.get(name, how) != how]
            if changed:
                raise DetectorError(
                    f"{folder.name} holds scores of {changed[0]} with other settings: name a new folder."
                )
        elif folder.exists() and any(folder.iterdir()):
            raise DetectorError(f"{folder.name} holds other things than an evaluation: name a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings | {"cases": before | cases}, indent=1))
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder.name} cannot be used for scores ({error}): name another folder.") from error


def _reference(
    folder: Path, cohort: Cohort, classifier: Classifier, detectors: Sequence[Detector], progress: Progress
) -> Reference:
    path = folder / _REFERENCE
    if path.exists():
        return read_reference(path)
    clean = [decode(image.series) for image in cohort.reference]
    series = [image.series for image in cohort.reference]
    reference = calibrate(detectors, classifier, clean, series=series, progress=progress)
    write_reference(reference, path)
    return reference


def _prepared(
    peers: Sequence[Peer], cohort: Cohort, scene: Scene, seed: int, progress: Progress
) -> tuple[list[Peer], list[str]]:
    ready, skipped = [], []
    clean = [decode(image.series) for image in cohort.reference] if peers else []
    for index, peer in enumerate(peers):
        progress(index / len(peers), f"{peer.name} learns")
        try:
            peer.learn(clean, scene, seed)
            ready.append(peer)
        except MedAdvError as error:
            skipped.append(f"{peer.name} was not run: {error}")
    return ready, skipped


def _kept(path: Path) -> tuple[Row, ...]:
    """Every row once, by image and case: two runs may have filled one folder at the same time."""
    found: dict[tuple[str, str], Row] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = Row(**json.loads(line))
        except (ValueError, TypeError):
            continue
        if not isinstance(row.scores, dict):
            continue
        before = found.get((row.image, row.case))
        if before is None or len(row.scores) > len(before.scores):
            found[row.image, row.case] = row
    return tuple(found.values())


def _keep(path: Path, row: Row) -> None:
    """Add a row, in a line of its own also where a run before was killed within one."""
    content = json.dumps({name: getattr(row, name) for name in row.__slots__}).encode() + b"\n"
    try:
        with path.open("ab+") as lines:
            if lines.seek(0, os.SEEK_END):
                lines.seek(-1, os.SEEK_END)
                content = content if lines.read(1) == b"\n" else b"\n" + content
            lines.write(content)
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): free the disk and go on.") from error

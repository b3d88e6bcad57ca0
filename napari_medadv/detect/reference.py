"""Reference: what clean series of one person look like to the detectors, for one classifier; no pixels, no identity."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from napari_medadv.detect.conformal import Scores
from napari_medadv.detect.detector import Detector, State
from napari_medadv.errors import DetectorError, OutputError
from napari_medadv.model.classifier import Classifier
from napari_medadv.volume import Volume

VERSION = 4


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """One detector: what it learnt, and how clean images score; `scores` is float64, (image,)."""

    settings: str
    scores: Scores
    state: State


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A calibration.

    Attributes
    ----------
    classifier, card, unit, modality
        SHA-256 of the weights; digest of what the card makes of them (labels, thresholds, preprocessing); unit and modality of
        the series.
    fitted
        How many images the detectors learnt from, none of which is among the scores.
    learnt
        By the name of the detector.
    slices
        Fewest and most slices of the series behind the scores; None in files that do not say.
    """

    classifier: str
    card: str
    unit: str
    modality: str
    fitted: int
    learnt: dict[str, Learnt]
    slices: tuple[int, int] | None = None

    @property
    def count(self) -> int:
        """Clean images behind every p-value."""
        return min((len(each.scores) for each in self.learnt.values()), default=0)

    def matching(self, detectors: Sequence[tuple[str, Detector]]) -> None:
        """Refuse detectors that were calibrated with other settings, or not at all."""
        for name, detector in detectors:
            known = self.learnt.get(name)
            if known is None:
                raise DetectorError(f"The reference knows no detector {name!r}: calibrate again with it.")
            if known.settings != repr(detector):
                raise DetectorError(
                    f"The reference was made with {known.settings}, not with {detector!r}: use these settings, or calibrate again."
                )

    def fitting(self, classifier: Classifier, volume: Volume) -> None:
        """Refuse another classifier, or a series of another kind."""
        if classifier.sha256 != self.classifier:
            raise DetectorError(
                f"The reference was made for another model (SHA-256 {self.classifier[:12]}...) than {classifier.name}: calibrate again."
            )
        if card_digest(classifier) != self.card:
            raise DetectorError(
                f"The reference was made for {classifier.name} with another card (labels, thresholds, unit or preprocessing): "
                "calibrate again."
            )
        if volume.modality != self.modality or volume.scale.unit != self.unit:
            raise DetectorError(
                f"The reference was made on {self.modality or 'unnamed'} series in {self.unit}, and this is {volume.modality or 'unnamed'} in "
                f"{volume.scale.unit}: calibrate on series of this kind."
            )


def caution(reference: Reference, volume: Volume) -> str:
    """Why the false-alarm rate does not hold for a series of so many slices, or nothing; it counts by its most suspicious slice."""
    count = len(volume.voxels)
    if reference.slices is None or reference.slices[0] <= count <= reference.slices[1]:
        return ""
    fewest, most = reference.slices
    had = f"{most}" if fewest == most else f"{fewest} to {most}"
    means = (
        "false alarms are more frequent than that" if count > most else "more passes unseen, and false alarms are rarer"
    )
    return f"That rate is for series of {had} slices, and this one has {count}: {means}, so calibrate on series of its length."


def card_digest(classifier: Classifier) -> str:
    """A digest of all that decides between the weights and the answer."""
    said = (classifier.findings, classifier.unit, classifier.reads, classifier.pooling, classifier.steps)
    return sha256(repr(said).encode()).hexdigest()


def check_place(path: Path) -> None:
    """Refuse, before any work, a place where a reference must not or cannot be written.

    Raises
    ------
    OutputError
        Another file is there, or the folder is not.
    """
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {path.parent.name} is not there: make it, or choose another place for {path.name}."
        )
    try:
        there = path.exists()
        path.with_name(_aside(path)).exists()
    except OSError as error:
        raise OutputError(
            f"The name of the reference cannot be used ({error.strerror}): choose a shorter one."
        ) from error
    if there:
        try:
            read_reference(path)
        except DetectorError as error:
            raise OutputError(f"{path.name} exists and is no reference: name a new file.") from error


def write_reference(reference: Reference, path: Path) -> None:
    """Write the reference as JSON with its own digest.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    content = {
        "medadv reference": VERSION,
        "classifier": reference.classifier,
        "card": reference.card,
        "unit": reference.unit,
        "modality": reference.modality,
        "fitted": reference.fitted,
        "slices": reference.slices,
        "detectors": {
            name: {
                "settings": each.settings,
                "scores": each.scores.tolist(),
                "state": {key: _packed(array) for key, array in each.state.items()},
            }
            for name, each in reference.learnt.items()
        },
    }
    text = json.dumps(content, sort_keys=True)
    aside = path.with_name(_aside(path))
    try:
        aside.write_text(json.dumps({"sha256": sha256(text.encode()).hexdigest(), "content": text}))
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): choose another place.") from error


def _aside(path: Path) -> str:
    return f".{path.name}.{os.getpid()}"


def read_reference(path: Path) -> Reference:
    """Read a reference.

    Raises
    ------
    DetectorError
        It is none, or was changed.
    """
    try:
        outer = json.loads(path.read_bytes())
        text, digest = outer["content"], outer["sha256"]
        content = json.loads(text)
        if content["medadv reference"] != VERSION:
            raise DetectorError(
                f"{path.name} was written by another version, whose detectors score differently: calibrate again."
            )
        whole = sha256(text.encode()).hexdigest() == digest
        learnt = {name: _learnt(each) for name, each in content["detectors"].items()}
        classifier, card, unit, modality = (str(content[key]) for key in ("classifier", "card", "unit", "modality"))
        slices = None if content.get("slices") is None else (int(content["slices"][0]), int(content["slices"][1]))
        found = Reference(classifier, card, unit, modality, int(content["fitted"]), learnt, slices)
    except OSError as error:
        raise DetectorError(
            f"The reference {path.name} cannot be read ({error.strerror}): name an existing one."
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DetectorError(f"{path.name} is no reference, or is corrupt: calibrate again.") from error
    if not whole or not _sound(learnt):
        raise DetectorError(f"The reference {path.name} was changed since it was written: calibrate again.")
    return found


def _sound(learnt: dict[str, Learnt]) -> bool:
    """Whether every detector scored the same images, and all numbers are numbers."""
    shapes = {each.scores.shape for each in learnt.values()}
    if len(shapes) != 1 or len(min(shapes)) != 1:
        return False
    return all(np.isfinite(each.scores).all() and _finite(each.state) for each in learnt.values())


def _finite(state: State) -> bool:
    return all(np.isfinite(array).all() for array in state.values())


def _learnt(found: dict[str, Any]) -> Learnt:
    state = {key: _unpacked(packed) for key, packed in found["state"].items()}
    return Learnt(str(found["settings"]), np.array(found["scores"], np.float64), state)


def _packed(array: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    return {"shape": list(array.shape), "data": b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()}


def _unpacked(found: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(b64decode(found["data"]), "<f4").reshape(found["shape"]).copy()

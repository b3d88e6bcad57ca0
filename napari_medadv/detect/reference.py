"""Reference: what clean series of one person look like to the detectors, for one classifier; no pixels, no identity."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
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
    """

    classifier: str
    card: str
    unit: str
    modality: str
    fitted: int
    learnt: dict[str, Learnt]

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
    if path.exists():
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
    try:
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(json.dumps({"sha256": sha256(text.encode()).hexdigest(), "content": text}))
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): choose another place.") from error


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
        found = Reference(classifier, card, unit, modality, int(content["fitted"]), learnt)
    except OSError as error:
        raise DetectorError(
            f"The reference {path.name} cannot be read ({error.strerror}): name an existing one."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DetectorError(f"{path.name} is no reference, or is corrupt: calibrate again.") from error
    if not whole or not all(np.isfinite(each.scores).all() for each in learnt.values()):
        raise DetectorError(f"The reference {path.name} was changed since it was written: calibrate again.")
    return found


def _learnt(found: dict[str, Any]) -> Learnt:
    state = {key: _unpacked(packed) for key, packed in found["state"].items()}
    return Learnt(str(found["settings"]), np.array(found["scores"], np.float64), state)


def _packed(array: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    return {"shape": list(array.shape), "data": b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()}


def _unpacked(found: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(b64decode(found["data"]), "<f4").reshape(found["shape"]).copy()

"""calibrate(): a person's own clean series become a reference; those that detectors learn from are not those that are scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from napari_medadv.catalogue import name_of
from napari_medadv.detect.detector import Detector, Fitted, State
from napari_medadv.detect.reference import Learnt, Reference, card_digest
from napari_medadv.detect.suspect import Suspect, suspects
from napari_medadv.dicom.meaning import adversarial
from napari_medadv.dicom.series import Series
from napari_medadv.errors import DetectorError, MedAdvError
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, silent
from napari_medadv.volume import Volume

SHARE = 0.4
"""The share of the clean images that detectors learn from."""


def calibrate(
    detectors: Sequence[Detector],
    classifier: Classifier,
    clean: Sequence[Volume],
    *,
    series: Sequence[Series | None] | None = None,
    progress: Progress = silent,
) -> Reference:
    """Learn from the first share of `clean` and score the rest; shuffle first if their order means anything.

    Raises
    ------
    DetectorError
        Too few or repeated images, images of several kinds, or a classifier without a digest.
    """
    _refuse(detectors, classifier, clean)
    files = series or [None] * len(clean)
    marked = sum(any(adversarial(each.header) for each in file.instances) for file in files if file is not None)
    if marked:
        raise DetectorError(
            f"{marked} of the {len(clean)} series say of themselves that they are adversarial test images: leave them out, they are not clean."
        )
    learns = any(isinstance(detector, Fitted) for detector in detectors)
    split = round(SHARE * len(clean)) if learns else 0
    learning = [s for v, f in zip(clean[:split], files[:split], strict=True) for s in suspects(classifier, v, f)]
    learnt = {}
    rest = list(zip(clean[split:], files[split:], strict=True))
    for index, detector in enumerate(detectors):
        state = _fitted(detector, learning) if isinstance(detector, Fitted) else {}
        scores = []
        for done, (volume, file) in enumerate(rest):
            scores.append(float(slice_scores(detector, state, classifier, volume, file).max()))
            progress((index + (done + 1) / len(rest)) / len(detectors), f"calibrating {name_of(type(detector))}")
        learnt[name_of(type(detector))] = Learnt(repr(detector), np.array(scores), state)
    counts = [len(volume.voxels) for volume, _ in rest]
    kind = (card_digest(classifier), clean[0].scale.unit, clean[0].modality)
    return Reference(classifier.sha256, *kind, split, learnt, (min(counts), max(counts)))


def slice_scores(
    detector: Detector,
    state: State,
    classifier: Classifier,
    volume: Volume,
    series: Series | None,
    progress: Progress = silent,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The score of every slice, or of the one volume: float64, (batch,).

    Raises
    ------
    DetectorError
        The detector does not apply, or its score is not finite.
    """
    if "slices" in detector.needs:
        parts: list[Suspect] = [joined(list(suspects(classifier, volume, series)))]
    else:
        parts = list(suspects(classifier, volume, series))
    scored = []
    with torch.no_grad():
        for done, part in enumerate(parts):
            progress(done / len(parts), f"asking {name_of(type(detector))}")
            scored.append(_scored(detector, part, state))
    found = torch.cat(scored).numpy()
    if not np.isfinite(found).all():
        raise DetectorError(f"{type(detector).__name__} gives no finite score on this series: leave it out.")
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = found
    return scores


def _scored(detector: Detector, suspect: Suspect, state: State) -> Tensor:
    """The scores of one part; what a detector did not foresee is said in a sentence."""
    name = type(detector).__name__
    with _corrected(detector):
        try:
            found = detector(suspect, state)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as fault:
            if _private(detector):
                raise
            raise DetectorError(
                f"{name} fails on this series, or on what the reference says that it learnt "
                f"({type(fault).__name__}): leave it out, or calibrate again."
            ) from fault
    entries = (len(suspect.values),)
    if not isinstance(found, Tensor) or found.shape != entries:
        kind = f"a tensor of the shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise DetectorError(
            f"{name} gives back {kind}, and a tensor with a score for each entry, of the shape {entries}, is expected: correct it."
        )
    return found.detach().double().cpu()


def _fitted(detector: Fitted, learning: Sequence[Suspect]) -> State:
    """What a detector learns; what one of the person's own does wrong is said in a sentence."""
    with _corrected(detector):
        state = detector.fit(learning)
    if not isinstance(state, dict) or not all(isinstance(each, np.ndarray) for each in state.values()):
        raise DetectorError(
            f"The method fit of {type(detector).__name__} gives back something else than arrays of numpy by name: correct it."
        )
    return state


def _private(detector: Detector | Fitted) -> bool:
    return not type(detector).__module__.startswith("napari_medadv.")


@contextmanager
def _corrected(detector: Detector | Fitted) -> Iterator[None]:
    """Let whatever goes wrong in a detector of the person's own be a sentence."""
    try:
        yield
    except (MedAdvError, MemoryError):
        raise
    except Exception as fault:
        if not _private(detector):
            raise
        said = " ".join(f"{type(fault).__name__}: {fault}".split())
        raise DetectorError(f"The detector {type(detector).__name__} failed ({said}): correct it.") from fault


def joined(parts: list[Suspect]) -> Suspect:
    """All slices as one suspect, for a detector that compares them."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Suspect(
        first.classifier,
        first.intake,
        torch.cat([part.values for part in parts]),
        torch.cat([part.quantum for part in parts]),
        first.window,
        first.unit,
        first.series,
        first.seed,
    )


def _refuse(detectors: Sequence[Detector], classifier: Classifier, clean: Sequence[Volume]) -> None:
    names = [name_of(type(detector)) for detector in detectors]
    if not detectors or len(set(names)) != len(names):
        raise DetectorError("Name at least one detector, and each once.")
    for detector in detectors:
        if "gradient" in detector.needs and not classifier.white_box:
            raise DetectorError(
                f"{type(detector).__name__} needs gradients, and {classifier.name} only answers queries: leave it out."
            )
    if len(clean) < 5:
        raise DetectorError(
            "Calibration needs clean series, at least 5, for a 5 % rate 31 and for a 1 % rate 165 "
            f"(19 and 99 where no detector learns from them): {len(clean)} were given."
        )
    if not classifier.sha256:
        raise DetectorError(
            f"{classifier.name} has no digest, so a reference could not say whose it is: load it from a file."
        )
    kinds = {(volume.modality, volume.scale.unit) for volume in clean}
    if len(kinds) > 1:
        raise DetectorError("The clean series are of several modalities or units: calibrate on one kind at a time.")
    digests = {sha256(np.ascontiguousarray(volume.voxels).data).digest() for volume in clean}
    if len(digests) < len(clean):
        raise DetectorError(f"{len(clean) - len(digests)} of the clean series are copies of others: give each once.")

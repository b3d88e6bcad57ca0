"""Suspicion: what every detector that applies says of a series, with or without a reference; imports no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medadv.catalogue import entry, names
from napari_medadv.detect import Detector, Evidence, Examination, Reference, examine, read_reference
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.examine import heat
from napari_medadv.detect.header import Header, header_words
from napari_medadv.detect.residual import Residual
from napari_medadv.dicom.series import Series
from napari_medadv.errors import DetectorError
from napari_medadv.model import Classifier
from napari_medadv.progress import Progress, part
from napari_medadv.volume import Volume

HOME = "napari_medadv.detect"
NO_REFERENCE = (
    "No reference is chosen: without the scores of clean series there is no p-value and no verdict; "
    "make one with `medadv calibrate` on clean series of this kind, at least 31 for 5 % false alarms."
)


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """What one detector says, for a person.

    Attributes
    ----------
    detector
        Its name.
    sentence
        Its answer.
    p
        The p-value, or None where no reference stands behind it.
    cost
        Forward passes in all.
    evaded_by
        What is known to pass unseen.
    slices
        The slices, the most suspicious first; empty where it cannot tell them apart.
    where
        float32, (z, y, x), how suspicious every voxel is, or None.
    """

    detector: str
    sentence: str
    p: float | None
    cost: int
    evaded_by: str
    slices: tuple[int, ...] = ()
    where: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Suspicion:
    """All signs, the verdict where a reference allows one, what is missing for more, and why a reference was refused."""

    signs: tuple[Sign, ...]
    examination: Examination | None
    missing: tuple[str, ...]
    refusal: str = ""


def look(
    volume: Volume,
    series: Series | None,
    classifier: Classifier | None,
    reference: Path | None,
    level: float,
    progress: Progress,
) -> Suspicion:
    """Ask every detector that applies.

    Parameters
    ----------
    series
        The files of exactly this volume, or None where it was not written yet.
    reference
        What `medadv calibrate` wrote, or None.
    level
        The false-alarm rate.
    """
    signs, missing, found, refusal = list[Sign](), list[str](), None, ""
    if classifier is None:
        missing.append("No classifier is attached: detectors that watch how it behaves need one.")
    elif reference is None:
        missing.append(NO_REFERENCE)
    else:
        try:
            book = read_reference(reference)
            detectors = _applying(book, classifier, missing)
            found = examine(
                list(detectors.values()),
                classifier,
                volume,
                book,
                series=series,
                level=level,
                progress=part(progress, 0.0, 0.9),
            )
            missing += found.left_out
            signs = [_judged(each, detectors[each.detector], len(volume.voxels)) for each in found.evidence]
        except DetectorError as error:
            refusal = str(error)
    begun = 0.9 if found is not None else 0.0
    progress(begun, "reading the files")
    done = {each.detector for each in signs}
    signs += _header(series, missing)
    if classifier is not None and "residual" not in done:
        signs += _residual(volume, classifier, missing, part(progress, begun, 1.0))
    progress(1.0, "examined")
    return Suspicion(tuple(signs), found, tuple(dict.fromkeys(missing)), refusal)


def _applying(book: Reference, classifier: Classifier, missing: list[str]) -> dict[str, Detector]:
    """The detectors of our own catalogue that the reference knows, as they were calibrated."""
    found: dict[str, Detector] = {}
    absent = []
    for name in names(HOME):
        detector: Any = entry(name, HOME)()
        known = book.learnt.get(name)
        if name == "header":
            continue
        if known is None:
            absent.append(name)
        elif "gradient" in detector.needs and not classifier.white_box:
            missing.append(f"{name} needs gradients, and {classifier.name} only answers queries.")
        elif known.settings != repr(detector):
            missing.append(f"{name} was calibrated with other settings ({known.settings}).")
        else:
            found[name] = detector
    foreign = [name for name in book.learnt if name not in names(HOME)]
    if foreign:
        missing.append(
            f"{', '.join(foreign)} of the reference is none of ours: ask it with `medadv examine --detector`."
        )
    absent = [name for name in absent if name != "residual"]
    if absent:
        missing.append(f"The reference knows nothing of {', '.join(absent)}: calibrate with them to ask them too.")
    return found


def _judged(evidence: Evidence, detector: Detector, count: int) -> Sign:
    apart = "" if evidence.fused else " It informs, and is not counted in the verdict."
    share = 100 * evidence.p
    sentence = f"Of {evidence.count} clean images and this one, {share:.0f} % look at least so suspicious.{apart}"
    return Sign(
        evidence.detector,
        sentence,
        evidence.p,
        detector.passes * count,
        detector.evaded_by,
        evidence.slices if len(evidence.slices) == count else (),
        evidence.where,
    )


def _header(series: Series | None, missing: list[str]) -> list[Sign]:
    if series is None:
        missing.append("This image was not written to files, so there is no header to read.")
        return []
    return [Sign("header", " ".join(header_words(series)), None, 0, Header.evaded_by)]


def _residual(volume: Volume, classifier: Classifier, missing: list[str], progress: Progress) -> list[Sign]:
    detector = Residual()
    try:
        scores = slice_scores(detector, {}, classifier, volume, None)
    except DetectorError as error:
        missing.append(str(error))
        return []
    order = tuple(int(index) for index in np.argsort(-scores, kind="stable"))
    if len(order) != len(volume.voxels):
        order = ()
    where = f"Slice {order[0]}" if order else "The strangest slice"
    sentence = (
        f"{where} lies {float(scores.max()):.1f} robust standard deviations off the noise of its neighbours; "
        "without a reference nobody knows how usual that is."
    )
    seen = heat(detector, {}, classifier, volume, progress=progress)
    return [Sign("residual", sentence, None, 0, detector.evaded_by, order, seen)]

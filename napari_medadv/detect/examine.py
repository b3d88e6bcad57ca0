"""examine(): evidence that a series was tampered with, and what it cannot know; never a green tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from napari_medadv.catalogue import name_of
from napari_medadv.detect.calibrate import slice_scores
from napari_medadv.detect.conformal import enough, fused_p_value, p_value, threshold_interval
from napari_medadv.detect.detector import Detector, Locating, State
from napari_medadv.detect.reference import Reference, caution
from napari_medadv.detect.suspect import suspects
from napari_medadv.dicom.series import Series
from napari_medadv.errors import DetectorError
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, part, silent
from napari_medadv.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What one detector says.

    Attributes
    ----------
    detector, score, p, count
        Its name, the score of the series (its most suspicious slice), the conformal p-value, the clean images behind it.
    weight
        How much it counts in the verdict; 0 where it only informs.
    slices
        The slices, the most suspicious first.
    where
        float32, (z, y, x), how suspicious every voxel is, or None.
    """

    detector: str
    score: float
    p: float
    count: int
    weight: float
    slices: tuple[int, ...]
    where: npt.NDArray[np.float32] | None = None

    @property
    def fused(self) -> bool:
        """Whether it counts in the verdict."""
        return self.weight > 0

    @property
    def sentence(self) -> str:
        """The same for a person."""
        apart = "" if self.fused else "; it informs and is not counted"
        return f"{self.detector}: as suspicious as {100 * self.p:.1f} % of {self.count} clean images or fewer{apart}."


_BY_ALL = "by all of them, an attack made by who knows them"


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """All evidence on a series.

    Attributes
    ----------
    evidence
        One a detector that applied.
    p
        The common p-value of those that are fused.
    level
        The false-alarm rate that was asked for.
    interval
        Between which the true false-alarm rate of that threshold lies (95 %), given the clean images.
    left_out
        Sentences: detectors that do not apply here.
    unseen
        What would pass unseen: by each detector that counts, and by all of them.
    missing
        Names of detectors that count and could not be run: the common p-value is that of the others, ranked among clean
        images by the others alone.
    caution
        Why the false-alarm rate does not hold for this series, or nothing.
    """

    evidence: tuple[Evidence, ...]
    p: float
    level: float
    interval: tuple[float, float]
    left_out: tuple[str, ...]
    unseen: tuple[str, ...]
    missing: tuple[str, ...] = ()
    caution: str = ""

    @property
    def alarm(self) -> bool:
        """Whether the series is more suspicious than the level allows."""
        return self.p <= self.level

    @property
    def sentence(self) -> str:
        """The verdict, which is never that the series is clean."""
        names = ", ".join(each.detector for each in self.evidence if each.fused)
        names += f" ({', '.join(self.missing)} could not be run and is not part of this)" if self.missing else ""
        low, high = self.interval
        rate = f"a false-alarm rate of {100 * self.level:g} % (between {100 * low:.1f} and {100 * high:.1f} % with so few clean images)"
        beware = f" {self.caution}" if self.caution else ""
        if self.alarm:
            return f"Suspicious: {names} together give p = {self.p:.3f}, at {rate}.{beware}"
        return f"Nothing found by {names} at {rate}; these would pass unseen: {'; '.join(self.unseen)}.{beware}"


def examine(
    detectors: Sequence[Detector],
    classifier: Classifier,
    volume: Volume,
    reference: Reference,
    *,
    series: Series | None = None,
    level: float = 0.05,
    progress: Progress = silent,
) -> Examination:
    """Gather the evidence of all detectors that apply.

    Raises
    ------
    DetectorError
        The reference is another model's, another modality's, of other settings, or too small for `level`; or no detector
        that counts can be run.
    """
    named = [(name_of(type(detector)), detector) for detector in detectors]
    if len(dict(named)) < len(named):
        raise DetectorError("A detector is named twice, and would count twice: name each once.")
    reference.matching(named)
    reference.fitting(classifier, volume)
    enough(reference.count, level)
    found, left_out, missing = [], [], []
    for index, (name, detector) in enumerate(named):
        own = part(progress, index / len(named), (index + 1) / len(named))
        learnt = reference.learnt[name]
        try:
            scores = slice_scores(detector, learnt.state, classifier, volume, series, part(own, 0.0, 0.5))
        except DetectorError as error:
            left_out.append(f"{name} was not run: {error}")
            missing += [name] if detector.weight > 0 else []
            continue
        order = tuple(int(i) for i in np.argsort(-scores, kind="stable"))
        where = heat(detector, learnt.state, classifier, volume, series, part(own, 0.5, 1.0))
        score = float(scores.max())
        found.append(
            Evidence(name, score, p_value(score, learnt.scores), len(learnt.scores), detector.weight, order, where)
        )
    counted = [each for each in found if each.fused]
    if not counted:
        why = f" ({' '.join(left_out)})" if missing else ""
        raise DetectorError(f"None of the detectors counts towards a verdict: add mirror, alignment or grain{why}.")
    clean = np.stack([reference.learnt[each.detector].scores for each in counted], axis=1)
    weights = np.array([each.weight for each in counted])
    p = fused_p_value(np.array([each.score for each in counted]), clean, weights)
    progress(1.0, "examined")
    ran = {each.detector for each in counted}
    unseen = (*blind_spots(detector for name, detector in named if name in ran), _BY_ALL)
    interval = threshold_interval(reference.count, level)
    beware = caution(reference, volume)
    return Examination(tuple(found), p, level, interval, tuple(left_out), unseen, tuple(missing), beware)


def blind_spots(detectors: Iterable[Detector]) -> tuple[str, ...]:
    """What passes each detector unseen, with the detector's name: what one misses, another may find."""
    return tuple(f"by {name_of(type(detector))}, {detector.evaded_by}" for detector in detectors)


def heat(
    detector: Detector,
    state: State,
    classifier: Classifier,
    volume: Volume,
    series: Series | None = None,
    progress: Progress = silent,
) -> npt.NDArray[np.float32] | None:
    """Where a detector that can tell sees something: float32, (z, y, x), or None."""
    if not isinstance(detector, Locating):
        return None
    maps: list[torch.Tensor] = []
    done = 0
    with torch.no_grad():
        for suspect in suspects(classifier, volume, series):
            progress(done / len(volume.voxels), f"{name_of(type(detector))} looks where")
            maps.append(detector.where(suspect, state)[:, 0].flatten(0, 1).detach().cpu())
            done += len(maps[-1])
    found: npt.NDArray[np.float32] = torch.cat(maps).numpy().astype(np.float32)
    return found

"""Rates: how well scores part suspicious images from clean ones, with intervals by patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from napari_medadv.detect.conformal import Scores

_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies in 95 % of bootstrap samples of the patients."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def area(suspicious: Scores, clean: Scores) -> float:
    """The area under the ROC curve; ties count half.

    Parameters
    ----------
    suspicious, clean
        float64, (image,), the higher the more suspicious.
    """
    ordered = np.sort(clean)
    below = np.searchsorted(ordered, suspicious, "left") + np.searchsorted(ordered, suspicious, "right")
    return float(below.mean() / 2 / len(clean))


def caught(suspicious: Scores, clean: Scores, rate: float) -> float:
    """The share of suspicious images above the threshold that at most `rate` of the clean ones exceed."""
    allowed = int(rate * len(clean) + 1e-9)
    threshold = np.sort(clean)[::-1][allowed] if allowed < len(clean) else -np.inf
    return float((suspicious > threshold).mean())


def curve(suspicious: Scores, clean: Scores) -> list[tuple[float, float]]:
    """The ROC curve: pairs of false-alarm rate and share caught, from (0, 0) to (1, 1)."""
    thresholds = np.unique(np.concatenate([suspicious, clean]))[::-1]
    points = [(float((clean >= t).mean()), float((suspicious >= t).mean())) for t in thresholds]
    return [(0.0, 0.0), *points]


def bootstrapped(
    figure: Callable[[Scores, Scores], float],
    suspicious: Scores,
    whose: Sequence[int],
    clean: Scores,
    of: Sequence[int],
    seed: int = 1,
) -> Interval:
    """A figure of two samples with its interval; patients are drawn, with all their images, of both samples at once."""
    rng = np.random.default_rng(seed)
    patients = np.unique([*whose, *of])
    mine = [np.flatnonzero(np.asarray(whose) == patient) for patient in patients]
    theirs = [np.flatnonzero(np.asarray(of) == patient) for patient in patients]
    found = []
    for _ in range(_DRAWS):
        drawn = rng.integers(len(patients), size=len(patients))
        one = np.concatenate([mine[i] for i in drawn])
        other = np.concatenate([theirs[i] for i in drawn])
        if len(one) and len(other):
            found.append(figure(suspicious[one], clean[other]))
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(figure(suspicious, clean), float(low), float(high))

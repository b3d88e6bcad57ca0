"""Conformal: scores become p-values by their rank among clean ones; Vovk, Gammerman and Shafer 2005."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, logsumexp

from napari_medadv.errors import DetectorError

Scores = npt.NDArray[np.float64]


def p_value(score: float, clean: Scores) -> float:
    """How often a clean image would look at least so suspicious; never below 1 / (n + 1), ties count against the suspicion."""
    return float((1 + np.count_nonzero(clean >= score)) / (len(clean) + 1))


def fused_p_value(scores: Scores, clean: Scores, weights: Scores) -> float:
    """One p-value of several detectors, whatever their dependence.

    The joint statistic of the suspect is ranked among those of the clean images. Suspect and clean images are treated alike
    within one pool, so that under exchangeability the result is an exact conformal p-value.

    Parameters
    ----------
    scores
        (detector,), of the suspect.
    clean
        (image, detector), of the calibration.
    weights
        (detector,), above 0: how much each counts.
    """
    found = _joint(np.vstack([clean, scores]), weights)
    return float(np.count_nonzero(found >= found[-1] - 1e-9) / len(found))


def fused_score(scores: Scores, clean: Scores, weights: Scores) -> float:
    """The joint statistic itself, which unlike its rank has no ties: for comparing suspects with one another."""
    return float(_joint(np.vstack([clean, scores]), weights)[-1])


def _joint(pool: Scores, weights: Scores) -> Scores:
    """-log of the weighted harmonic mean over detectors of p, (image,), of a pool (image, detector); Wilson 2019, https://doi.org/10.1073/pnas.1814092116.

    One detector that is sure is enough, and those that see nothing do not dilute it. Ranks alone would let it say no more
    than the size of the pool allows, however far its score lies out; so beyond the upper quartile p falls exponentially, at
    the mean excess of the pool (a heavy tail falls slowly).
    """
    quartile = np.quantile(pool, 0.75, axis=0)
    excess = (pool - quartile).clip(min=0)
    tail = (pool > quartile).sum(axis=0).clip(min=1)
    mean = np.maximum(excess.sum(axis=0) / tail, 1e-12)
    ranks = (pool[None] >= pool[:, None]).sum(axis=1) / len(pool)
    statistic = np.where(excess > 0, np.log(4.0) + excess / mean, -np.log(ranks))
    found: Scores = logsumexp(statistic, axis=1, b=weights / weights.sum())
    return found


def enough(count: int, level: float) -> None:
    """Refuse a false-alarm rate that so few clean images cannot show.

    Raises
    ------
    DetectorError
        Fewer than 1 / level - 1 images.
    """
    if not 0 < level < 1:
        raise DetectorError(f"A false-alarm rate lies between 0 and 1, not at {level:g}.")
    needed = math.ceil(1 / level - 1 - 1e-9)
    if count < needed:
        raise DetectorError(
            f"A false-alarm rate of {100 * level:g} % needs at least {needed} clean images for calibration, and there are {count}: "
            "calibrate on more, or choose a higher rate."
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A share that was counted, with its 95 % interval (Clopper and Pearson)."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """What was seen."""
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true one lies."""
        low = float(betaincinv(self.hits, self.total - self.hits + 1, 0.025)) if self.hits else 0.0
        high = float(betaincinv(self.hits + 1, self.total - self.hits, 0.975)) if self.hits < self.total else 1.0
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.share:.1f} % ({100 * low:.1f} to {100 * high:.1f} %, {self.hits} of {self.total})"


def threshold_interval(count: int, level: float) -> tuple[float, float]:
    """Between which rates the true false-alarm rate of a threshold at `level` lies, given `count` clean images (95 %)."""
    rank = math.floor(level * (count + 1) + 1e-9)
    if rank < 1:
        return 0.0, 1.0
    return float(betaincinv(rank, count + 1 - rank, 0.025)), float(betaincinv(rank, count + 1 - rank, 0.975))

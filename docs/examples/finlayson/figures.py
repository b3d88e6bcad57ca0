"""Figures: accuracy, AUROC and mean confidence with 95 % intervals, and the table beside what the authors printed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

# Accuracy in per cent, AUROC, mean confidence in per cent and its interval, as the outputs of the authors' own notebooks
# (https://github.com/sgfin/adversarial-medicine, folder patch_attacks) print them. Their other rows stand in Table 1 of
# https://arxiv.org/abs/1804.05296.
PAPER = {
    "chest radiographs (pneumothorax)": {
        "natural patch": "92.05 / 0.5386 / 95.76 (95.60–95.92)",
        "adversarial patch, white box": "0.01 / 0.0000 / 98.77 (98.72–98.82)",
        "adversarial patch, black box": "9.67 / 0.0038 / 83.26 (82.96–83.57)",
    },
    "dermoscopy (melanoma)": {
        "natural patch": "67.58 / 0.4872 / 85.55 (84.26–86.85)",
        "adversarial patch, white box": "0.00 / 0.0000 / 99.72 (99.56–99.87)",
        "adversarial patch, black box": "1.37 / 0.0004 / 97.60 (97.02–98.18)",
    },
}


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its 95 % interval."""

    figure: float
    low: float
    high: float

    def words(self, digits: int, times: float = 1.0) -> str:
        low, middle, high = (f"{times * end:.{digits}f}" for end in (self.low, self.figure, self.high))
        return f"{middle} ({low}–{high})"


def share(right: np.ndarray) -> Interval:
    """How many are true, with Wilson's interval."""
    count, mean, z = len(right), float(np.mean(right)), 1.959964
    middle = (mean + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(mean * (1 - mean) / count + z * z / (4 * count * count))
    return Interval(mean, max(0.0, middle - half), min(1.0, middle + half))


def mean(values: np.ndarray) -> Interval:
    """The mean with Student's t interval."""
    middle, half = float(np.mean(values)), float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
    return Interval(middle, middle - half, middle + half)


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The area under the ROC curve; equal scores count half."""
    ranks, count = stats.rankdata(scores), int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def auroc(scores: np.ndarray, positive: np.ndarray) -> Interval:
    """The area with the interval of 1,000 bootstrap samples, each label drawn by itself."""
    rng, groups = np.random.default_rng(0), [np.flatnonzero(positive), np.flatnonzero(~positive)]
    areas = []
    for _ in range(1000):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        areas.append(area(scores[rows], positive[rows]))
    low, high = np.quantile(areas, [0.025, 0.975])
    return Interval(area(scores, positive), float(low), float(high))


def row(trial: str, probabilities: np.ndarray, truth: np.ndarray, paper: str) -> str:
    """One line of the table from probabilities (image, label) and the index of each true label."""
    accuracy = share(probabilities.argmax(axis=1) == truth).words(1, 100)
    confidence = mean(probabilities.max(axis=1)).words(2, 100)
    curve = auroc(probabilities[:, 1], truth == 1).words(3)
    return f"| {trial} | {accuracy} | {curve} | {confidence} | {PAPER[paper].get(trial, '')} |"


def head(paper: str, images: int) -> str:
    """The head of the table."""
    first = f"| {images} test images, as stored | accuracy % (95 %) | AUROC (95 %) | mean confidence % (95 %) "
    return f"{first}| Finlayson et al., {paper}: accuracy / AUROC / confidence |\n|---|---|---|---|---|"

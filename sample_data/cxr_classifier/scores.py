"""Area under the ROC curve, and its interval over patients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area_under_curve(scores: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Chance that a random positive, (image,), scores above a random negative; ties count half."""
    positive, negative = scores[targets == 1], scores[targets == 0]
    difference = positive[:, None] - negative[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def interval_by_patient(
    scores: NDArray[np.float64], targets: NDArray[np.int64], patients: NDArray[np.str_], seed: int, draws: int = 2000
) -> tuple[float, float]:
    """95 % bootstrap interval of the area, drawing patients (with all their images) with replacement."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
    areas = []
    while len(areas) < draws:
        rows = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        if 0 < targets[rows].sum() < len(rows):
            areas.append(area_under_curve(scores[rows], targets[rows]))
    low, high = np.percentile(areas, [2.5, 97.5])
    return float(low), float(high)

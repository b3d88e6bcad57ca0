"""Mahalanobis distance in feature space; Lee, Lee, Lee and Shin 2018, https://arxiv.org/abs/1807.03888."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.features import bank, layers
from napari_medadv.detect.suspect import Suspect


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """The distance to the clean images, the mean over some layers, under a shrunken covariance.

    Attributes
    ----------
    depth
        How many convolutions are asked beside the last layer.
    """

    needs: ClassVar[tuple[Need, ...]] = ("clean images", "features")
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "attacks that match the features of clean images (hierarchical feature constraint)"

    depth: int = 3

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def fit(self, clean: Sequence[Suspect]) -> State:
        """Mean and inverse covariance a layer (Ledoit and Wolf's shrinkage towards the variances)."""
        state = {}
        for index, found in enumerate(bank(tuple(clean), self.depth)):
            features = found.double().cpu().numpy()
            mean = features.mean(axis=0)
            state[f"mean {index}"] = mean.astype(np.float32)
            state[f"precision {index}"] = np.linalg.inv(shrunken(features - mean)).astype(np.float32)
        return state

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The distance: (batch,), relative to the number of features."""
        total = torch.zeros(len(suspect.values), device=suspect.values.device)
        seen = layers(suspect, self.depth)
        for index, found in enumerate(seen):
            mean, precision = (torch.from_numpy(state[f"{name} {index}"]).to(found) for name in ("mean", "precision"))
            away = found - mean
            total = total + ((away @ precision) * away).sum(dim=1).clamp_min(0).div(away.shape[1]).sqrt()
        return total / len(seen)


def shrunken(
    centred: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The covariance of (image, feature), shrunk towards its diagonal by as much as the sample is small."""
    count = len(centred)
    covariance = centred.T @ centred / count
    squares = (centred**2).T @ (centred**2) / count
    spread = (squares - covariance**2).sum() - (np.diag(squares) - np.diag(covariance) ** 2).sum()
    off = (covariance**2).sum() - (np.diag(covariance) ** 2).sum()
    weight = float(np.clip(spread / max(count * off, 1e-30), 0.05, 1.0))
    diagonal = np.diag(np.diag(covariance) + 1e-6 * max(float(np.trace(covariance)) / len(covariance), 1e-12))
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = (1 - weight) * covariance + weight * diagonal
    return found

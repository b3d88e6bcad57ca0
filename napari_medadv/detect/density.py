"""Kernel density in feature space; Feinman, Curtin, Shintre and Gardner 2017, https://arxiv.org/abs/1703.00410."""

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
class Density:
    """Minus the logarithm of a Gaussian kernel density of clean images in the last layer: the literature's baseline."""

    needs: ClassVar[tuple[Need, ...]] = ("clean images", "features")
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "attacks that climb the density too (Carlini and Wagner 2017)"

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def fit(self, clean: Sequence[Suspect]) -> State:
        """The last layer's features, and the median distance between them as bandwidth."""
        found = bank(tuple(clean), 0)[-1]
        distances = torch.pdist(found)
        width = float(distances.median()) if len(distances) else 1.0
        return {"bank": found.cpu().numpy().astype(np.float32), "width": np.array([max(width, 1e-6)], np.float32)}

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """How thin the clean images lie here: (batch,)."""
        features = layers(suspect, 0)[-1]
        distances = torch.cdist(features, torch.from_numpy(state["bank"]).to(features))
        return -torch.logsumexp(-((distances / float(state["width"][0])) ** 2), dim=1)

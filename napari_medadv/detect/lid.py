"""Local intrinsic dimensionality; Ma et al. 2018, https://arxiv.org/abs/1801.02613."""

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
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class LID:
    """The dimensionality of the clean neighbourhood, the mean over some layers: the literature's baseline, without its training on attacks.

    Attributes
    ----------
    k
        How many neighbours.
    depth
        How many convolutions are asked beside the last layer.
    """

    needs: ClassVar[tuple[Need, ...]] = ("clean images", "features")
    weight: ClassVar[float] = 0.0
    evaded_by: ClassVar[str] = "confident attacks (Athalye, Carlini and Wagner 2018)"

    k: int = 15
    depth: int = 3

    def __post_init__(self) -> None:
        if self.k < 2:
            raise DetectorError(f"LID takes k >= 2, not {self.k}.")

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def fit(self, clean: Sequence[Suspect]) -> State:
        """The features of the clean images, a layer each."""
        return {f"bank {i}": f.cpu().numpy().astype(np.float32) for i, f in enumerate(bank(tuple(clean), self.depth))}

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The estimated dimensionality: (batch,)."""
        found = []
        for index, features in enumerate(layers(suspect, self.depth)):
            distances = torch.cdist(features, torch.from_numpy(state[f"bank {index}"]).to(features)).clamp_min(1e-9)
            nearest = distances.topk(min(self.k, distances.shape[1]), dim=1, largest=False).values
            found.append(-1 / torch.log(nearest / nearest[:, -1:]).mean(dim=1).clamp_max(-1e-6))
        return torch.stack(found).mean(dim=0)

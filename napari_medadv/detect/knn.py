"""Deep nearest neighbours; Sun, Ming, Zhu and Li 2022, https://arxiv.org/abs/2204.06507."""

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
class KNN:
    """The distance to the k-th nearest clean image in the last layer, features at length one.

    Attributes
    ----------
    k
        Which neighbour.
    """

    needs: ClassVar[tuple[Need, ...]] = ("clean images", "features")
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "attacks that move to the features of a clean image of the other class"

    k: int = 5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise DetectorError(f"KNN takes k >= 1, not {self.k}.")

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def fit(self, clean: Sequence[Suspect]) -> State:
        """The last layer's features of the clean images."""
        return {"bank": unit(bank(tuple(clean), 0)[-1]).cpu().numpy().astype(np.float32)}

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The distance: (batch,)."""
        features = unit(layers(suspect, 0)[-1])
        distances = torch.cdist(features, torch.from_numpy(state["bank"]).to(features))
        found: Tensor = distances.kthvalue(min(self.k, distances.shape[1]), dim=1).values
        return found


def unit(features: Tensor) -> Tensor:
    """Features at length one."""
    length: Tensor = features.norm(dim=1, keepdim=True)
    return features / length.clamp_min(1e-12)

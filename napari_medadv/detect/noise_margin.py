"""Noise margin: how a decision stands noise of the modality's own size; Roth, Kilcher and Hofmann 2019, https://arxiv.org/abs/1902.04818."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError

_SIGMA = {"HU": 15.0}


@dataclass(frozen=True, slots=True)
class NoiseMargin:
    """By how much the decision weakens in the mean over noisy copies.

    Attributes
    ----------
    copies
        How many.
    sigma
        Standard deviation of the noise, in the unit of the volume; 0 takes 15 HU for CT and 1 % of the window otherwise.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "attacks that average their gradient over noise (EOT), and large smooth changes"

    copies: int = 6
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if self.copies < 2 or self.sigma < 0:
            raise DetectorError(f"NoiseMargin takes copies >= 2 and sigma >= 0, not {self.copies} and {self.sigma:g}.")

    @property
    def passes(self) -> int:
        """One for the suspect and one a copy."""
        return 1 + self.copies

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """How far the decision weakens: (batch,), in logits."""
        before = suspect.presence(suspect.values)
        sigma = self.sigma or _SIGMA.get(suspect.unit, 0.01 * suspect.range)
        rng = suspect.generator()
        shape = suspect.values.shape[1:]
        total = torch.zeros_like(before)
        for _ in range(self.copies):
            noise = torch.randn(shape, generator=rng).to(suspect.values)
            total = total + suspect.presence(suspect.values + sigma * noise)
        sign = torch.where(before > 0, 1.0, -1.0)
        return (sign * (before - total / self.copies)).amax(dim=1)

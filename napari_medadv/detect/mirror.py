"""Mirror: a decision that does not stand in the mirror; Tian, Yang and Cai 2018, https://doi.org/10.1609/aaai.v32i1.11828."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Mirror:
    """By how much the decision weakens when every slice is mirrored: its columns in reverse order, left to right as stored.

    A classifier that learnt from mirrored images answers to the mirrored image as to the image, whatever it shows, and a
    perturbation that was made for one side says little on the other. Nothing is filtered: smooth changes are seen as well
    as fine ones.

    Attributes
    ----------
    doubt
        How much it counts that the mirrored image's decision is weak by itself, relative to the weakening.
    """

    needs: ClassVar[tuple[Need, ...]] = ("nothing",)
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = (
        "attacks that climb the mirrored image too, changes that turn the decision by what they hide, and any attack on a classifier "
        "that never learnt from mirrored images"
    )

    doubt: float = 0.2

    def __post_init__(self) -> None:
        if self.doubt < 0:
            raise DetectorError(f"Mirror takes doubt >= 0, not {self.doubt:g}.")

    @property
    def passes(self) -> int:
        """One for the suspect and one for its mirror image."""
        return 2

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """How far the decision weakens: (batch,), in logits, the largest over the labels."""
        before = suspect.presence(suspect.values)
        sign = torch.where(before > 0, 1.0, -1.0)
        after = suspect.presence(suspect.values.flip(-1))
        return (sign * (before - (1 + self.doubt) * after)).amax(dim=1)

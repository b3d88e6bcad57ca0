"""Detector: a way to tell a tampered series from a clean one by a score that is higher the more suspicious it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from napari_medadv.detect.suspect import Suspect

Need = Literal["clean images", "gradient", "features", "slices", "file", "nothing"]
State = dict[str, npt.NDArray[np.float32]]
"""What a detector learnt from clean images: no pixels, no identity."""


@runtime_checkable
class Detector(Protocol):
    """Settings are its fields, its `repr` is part of a reference.

    Attributes
    ----------
    needs
        What it cannot do without.
    weight
        How much its p-value counts in the common one. One that is overwhelming where it sees anything needs little; one that
        answers to any processing has 0 and only informs.
    evaded_by
        What is known to pass unseen, for a person.
    """

    needs: ClassVar[tuple[Need, ...]]
    weight: ClassVar[float]
    evaded_by: ClassVar[str]

    @property
    def passes(self) -> int:
        """Cost in forward passes an entry; a backward pass counts as two."""
        ...

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The score of every entry: float32, (batch,)."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """A detector that learns from clean images first."""

    def fit(self, clean: Sequence[Suspect]) -> State:
        """What is to be remembered of them."""
        ...


@runtime_checkable
class Locating(Protocol):
    """A detector that can say where."""

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """How suspicious every voxel is: float32, (batch, 1, z, y, x), not below zero; asked batch by batch."""
        ...

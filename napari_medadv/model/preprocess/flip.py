"""Flip: the image mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Flip:
    """The axes turned round.

    Attributes
    ----------
    axes
        Of "z", "y" and "x".
    """

    axes: tuple[Literal["z", "y", "x"], ...]

    def __post_init__(self) -> None:
        if not self.axes or len(set(self.axes)) != len(self.axes):
            raise ValueError(f"axes is {list(self.axes)}, and 'z', 'y' or 'x', each once, is expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The mirrored image.

        Raises
        ------
        ModelError
            A slice has no z.
        """
        if "z" in self.axes and values.ndim == 4:
            raise ModelError("The step 'flip' turns z round, but the classifier reads slices: name 'y' or 'x'.")
        return values.flip([{"z": -3, "y": -2, "x": -1}[axis] for axis in self.axes])

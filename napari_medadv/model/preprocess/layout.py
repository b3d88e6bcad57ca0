"""Layout: the order of the axes that the network wants; the last step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Layout:
    """The axes in another order; the batch stays first.

    Attributes
    ----------
    axes
        "channel" and "y", "x" (slices) or "z", "y", "x" (volumes), each once: ["y", "x", "channel"] for a network
        that was converted from TensorFlow, ["channel", "x", "y", "z"] for one that was trained on volumes in NIfTI order.
    """

    axes: tuple[Literal["channel", "z", "y", "x"], ...]

    def __post_init__(self) -> None:
        if sorted(self.axes) not in (["channel", "x", "y"], ["channel", "x", "y", "z"]):
            raise ValueError(
                f"axes is {list(self.axes)}, and 'channel', 'y', 'x' and for volumes 'z', each once, is expected"
            )

    def __call__(self, values: Tensor) -> Tensor:
        """The values with their axes in that order.

        Raises
        ------
        ModelError
            A slice meets an order for volumes, or the reverse.
        """
        ours = ("channel", "z", "y", "x") if values.ndim == 5 else ("channel", "y", "x")
        if len(ours) != len(self.axes):
            raise ModelError(
                f"The step 'layout' names {len(self.axes)} axes, but {', '.join(ours)} arrive there: "
                "correct `axes`, or `reads` in the card."
            )
        return values.permute(0, *(1 + ours.index(axis) for axis in self.axes))

"""Channels: which channels, in which order."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Channels:
    """The named channels, in the named order.

    Attributes
    ----------
    order
        Index of each channel that is passed on: [2, 1, 0] makes BGR of RGB, [1] keeps green.
    """

    order: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.order or min(self.order) < 0:
            raise ValueError(f"order is {list(self.order)}, and whole numbers of at least 0 are expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The chosen channels.

        Raises
        ------
        ModelError
            One is not there.
        """
        if max(self.order) >= values.shape[1]:
            raise ModelError(
                f"The step 'channels' names channel {max(self.order)}, but {values.shape[1]} arrive there, "
                "counted from 0: attach a colour series, or correct `order`."
            )
        return values[:, list(self.order)]

"""Repeat: a grey image as several equal channels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Repeat:
    """The one channel, several times; for networks that were made for colour.

    Attributes
    ----------
    channels
        How many times.
    """

    channels: int = 3

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"channels is {self.channels}, and at least 1 is expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The channels.

        Raises
        ------
        ModelError
            There is more than one channel already.
        """
        if values.shape[1] != 1:
            raise ModelError(
                f"The step 'repeat' takes a grey image, but {values.shape[1]} channels arrive there: "
                "attach a grey series, leave `repeat` out for colour, or put a `grey` step before it."
            )
        return values.expand(-1, self.channels, *[-1] * (values.ndim - 2))

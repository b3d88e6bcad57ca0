"""Standardise: subtract a mean, divide by a standard deviation, both fixed."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Standardise:
    """(values - mean) / std.

    Attributes
    ----------
    mean, std
        One number, or one for each channel.
    """

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]

    def __post_init__(self) -> None:
        mean, std = _numbers(self.mean), _numbers(self.std)
        if not mean or not std or min(std) <= 0:
            raise ValueError(f"std is {self.std}, and numbers above 0 are expected")
        if len(mean) > 1 and len(std) > 1 and len(mean) != len(std):
            raise ValueError(f"mean has {len(mean)} numbers and std {len(std)}, and as many of both are expected")

    def __call__(self, values: Tensor) -> Tensor:
        """The standardised values.

        Raises
        ------
        ModelError
            There are more or fewer channels than numbers.
        """
        mean, std = _numbers(self.mean), _numbers(self.std)
        named = max(len(mean), len(std))
        if named not in (1, values.shape[1]):
            raise ModelError(
                f"The step 'standardise' has numbers for {named} channels, but {values.shape[1]} arrive there: "
                "give one number, or put a `repeat` step before it."
            )
        shape = (1, -1, *[1] * (values.ndim - 2))
        return (values - values.new_tensor(mean).view(shape)) / values.new_tensor(std).view(shape)


def _numbers(given: float | tuple[float, ...]) -> tuple[float, ...]:
    return given if isinstance(given, tuple) else (given,)

"""Grey: colour as one channel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Grey:
    """The weighted sum of red, green and blue; a grey image passes unchanged.

    Attributes
    ----------
    weights
        Of red, green and blue; those of ITU-R BT.601 by default.
    """

    weights: tuple[float, float, float] = (0.299, 0.587, 0.114)

    def __call__(self, values: Tensor) -> Tensor:
        """One channel.

        Raises
        ------
        ModelError
            There are neither one nor three channels.
        """
        if values.shape[1] == 1:
            return values
        if values.shape[1] != 3:
            raise ModelError(f"The step 'grey' takes 1 or 3 channels, but {values.shape[1]} arrive there.")
        weights = values.new_tensor(self.weights).view(1, 3, *[1] * (values.ndim - 2))
        return (values * weights).sum(dim=1, keepdim=True)

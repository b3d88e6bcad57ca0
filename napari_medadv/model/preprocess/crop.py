"""Crop: a part of the image."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from napari_medadv.errors import ModelError
from napari_medadv.model.preprocess.size import positive, space


@dataclass(frozen=True, slots=True)
class Crop:
    """The middle of the image, or the box that begins at `start`.

    Attributes
    ----------
    size
        [y, x] or [z, y, x] of what is kept.
    start
        Index of the first voxel kept, along the same axes; absent, the middle is kept.
    """

    size: tuple[int, ...]
    start: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        positive(self.size)
        if self.start is not None and (len(self.start) != len(self.size) or min(self.start) < 0):
            raise ValueError(
                f"start is {list(self.start)}, and {len(self.size)} whole numbers of at least 0 are expected"
            )

    def __call__(self, values: Tensor) -> Tensor:
        """The part.

        Raises
        ------
        ModelError
            The image is smaller.
        """
        shape = space(values, self.size, "crop")
        start = self.start or tuple((have - want) // 2 for have, want in zip(shape, self.size, strict=True))
        if any(at < 0 or at + want > have for at, want, have in zip(start, self.size, shape, strict=True)):
            raise ModelError(
                f"The step 'crop' keeps {list(self.size)} voxels, but the image has only {list(shape)}: "
                "put a `pad` or `resize` step before it."
            )
        for axis, (at, want) in enumerate(zip(start, self.size, strict=True), 2):
            values = values.narrow(axis, at, want)
        return values

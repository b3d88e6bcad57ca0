"""Sizes of a network's input, and how an image is cut or padded to one."""

from __future__ import annotations

from torch import Tensor

from napari_medadv.errors import ModelError

AXES = {2: ("y", "x"), 3: ("z", "y", "x")}


def positive(size: tuple[int, ...]) -> tuple[int, ...]:
    """The size, if it is [y, x] or [z, y, x] of at least one voxel each; a ValueError with a phrase otherwise."""
    if len(size) not in AXES or min(size) < 1:
        raise ValueError(f"size is {list(size)}, and [y, x] or [z, y, x] of at least 1 each is expected")
    return size


def space(values: Tensor, size: tuple[int, ...], step: str) -> tuple[int, ...]:
    """The spatial shape of `values`, if it has as many axes as `size`.

    Raises
    ------
    ModelError
        A volume meets a size for slices, or the reverse.
    """
    shape = tuple(values.shape[2:])
    if len(shape) != len(size):
        read = "slices (y, x)" if len(shape) == 2 else "volumes (z, y, x)"
        raise ModelError(
            f"The step {step!r} has the size {list(size)}, but the classifier reads {read}: "
            f"give {len(shape)} numbers, or correct `reads` in the card."
        )
    return shape

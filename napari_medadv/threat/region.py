"""Region: which voxels an adversary may touch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_medadv.errors import RegionError, system_reason
from napari_medadv.volume import Bools

_MASKS = (".npy", ".tif", ".tiff", ".png")


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The whole volume, chosen slices of it, a mask in it, or both.

    Attributes
    ----------
    mask
        bool, (z, y, x), or None for everywhere; of labels, all that are not zero.
    slices
        The chosen slices, ascending, or None for every slice.
    """

    mask: Bools | None = None
    slices: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.mask is not None and self.mask.dtype != bool:
            object.__setattr__(self, "mask", self.mask != 0)

    def chosen(self, shape: tuple[int, int, int]) -> tuple[int, ...]:
        """The slices of a volume of this shape (z, y, x) that may be touched.

        Raises
        ------
        RegionError
            The mask has another shape, a slice is not there, or nothing is left to touch.
        """
        if self.mask is not None and self.mask.shape != shape:
            raise RegionError(
                f"The region has the shape {self.mask.shape} and the volume {shape} (z, y, x): draw it on this volume."
            )
        slices = range(shape[0]) if self.slices is None else self.slices
        beyond = [index for index in slices if not 0 <= index < shape[0]]
        if beyond:
            raise RegionError(f"Slice {beyond[0]} was chosen, but the volume's slices are 0 to {shape[0] - 1}.")
        kept = tuple(sorted({index for index in slices if self.mask is None or self.mask[index].any()}))
        if not kept:
            raise RegionError(
                "The region holds no voxel of the chosen slices: mark at least one voxel, or choose other slices."
            )
        return kept

    def __str__(self) -> str:
        """For a record: how many slices and voxels, no coordinates."""
        where = "all slices" if self.slices is None else f"{len(self.slices)} slices"
        return where if self.mask is None else f"{int(np.count_nonzero(self.mask))} voxels of {where}"


def read_mask(path: Path, shape: tuple[int, int, int]) -> Bools:
    """A region mask from a file: `.npy`, or an image or stack (`.tif`, `.png`); everything not zero is in.

    No other file is opened: from a DICOM file, the image reader would go on to all others in its folder and take one
    series of them.

    Raises
    ------
    RegionError
        The file cannot be read, or has another shape than (z, y, x).
    """
    ending = path.suffix.lower()
    if ending not in _MASKS:
        raise RegionError(
            f"The region file {path.name} is none of {', '.join(_MASKS)}: give a .npy or .tif label volume."
        )
    try:
        if ending == ".npy":
            mask = np.load(path, allow_pickle=False)
        else:
            from skimage.io import imread

            mask = imread(path)
    except OSError as error:
        raise RegionError(
            f"The region file {path.name} cannot be read ({system_reason(error)}): give a .npy or .tif label volume."
        ) from error
    except (ValueError, SyntaxError, EOFError) as error:
        raise RegionError(
            f"The region file {path.name} holds no label volume that can be read: give a .npy or .tif label volume."
        ) from error
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "biuf":
        raise RegionError(
            f"The region file {path.name} holds no label volume of numbers: give a .npy or .tif label volume."
        )
    mask = mask[None] if mask.ndim == 2 else mask
    if mask.shape != shape:
        raise RegionError(f"The region file {path.name} has the shape {mask.shape}, and the volume {shape} (z, y, x).")
    found: Bools = mask != 0
    return found

"""What the tests of saving share: a derivation, a change, and what makes two volumes the same."""

from __future__ import annotations

import numpy as np

from napari_medadv.dicom.derivation import Derivation
from napari_medadv.volume import Volume

PGD = Derivation("PGD, Linf 8 HU, seed 0, model sha256 00", label="PGD 8 HU", version="0.1.0")


def same(one: Volume, other: Volume) -> bool:
    return bool(
        np.array_equal(one.voxels, other.voxels)
        and one.voxels.dtype == other.voxels.dtype
        and np.array_equal(one.affine, other.affine)
        and np.array_equal(one.scale.slope, other.scale.slope)
        and np.array_equal(one.scale.intercept, other.scale.intercept)
        and (one.scale.unit, one.scale.lowest, one.scale.highest)
        == (other.scale.unit, other.scale.lowest, other.scale.highest)
        and one.scale.padding == other.scale.padding
        and (one.windows, one.photometric, one.placed) == (other.windows, other.photometric, other.placed)
    )


def changed(volume: Volume) -> Volume:
    voxels = volume.voxels.copy()
    voxels[:, 2:5, 2:5] += 3
    return volume.with_voxels(voxels)

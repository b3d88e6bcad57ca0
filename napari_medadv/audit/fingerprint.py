"""Fingerprint: a digest of the stored integers of every slice, whatever file format or compression carries them."""

from __future__ import annotations

import hashlib

import numpy as np

from napari_medadv.volume import Volume


def fingerprint(volume: Volume) -> tuple[str, ...]:
    """SHA-256 of each slice's stored integers, little-endian, row by row, in the volume's dtype and order of slices."""
    plain = volume.voxels.astype(volume.voxels.dtype.newbyteorder("<"), copy=False)
    return tuple(hashlib.sha256(np.ascontiguousarray(part).data).hexdigest() for part in plain)


def differing(found: tuple[str, ...], expected: tuple[str, ...]) -> int:
    """How many slices differ; all of them where the numbers of slices differ."""
    if len(found) != len(expected):
        return max(len(found), len(expected))
    return sum(one != other for one, other in zip(found, expected, strict=True))

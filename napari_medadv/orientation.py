"""Orientation: which way a slice of a patient is held up for reading."""

from __future__ import annotations

import numpy as np

from napari_medadv.volume import Volume

_READ_ALONG = {0: 1.0, 1: 1.0, 2: -1.0}


def flips(volume: Volume) -> tuple[bool, bool]:
    """Whether rows (y) and columns (x) of a slice are turned round so that it is seen as radiologists read it.

    Left on the picture's right (or, in a sagittal slice, the back), and the front of the patient (or the head) on top.
    A volume that is not placed in the patient is shown as stored.
    """
    if not volume.placed:
        return False, False
    turned = []
    for axis in (1, 2):
        along = volume.affine[:3, axis]
        main = int(np.argmax(np.abs(along)))
        turned.append(bool(along[main] * _READ_ALONG[main] < 0))
    return turned[0], turned[1]

"""Region: where the evidence lies, as a mask that can be kept."""

from __future__ import annotations

import numpy as np

from napari_medadv.detect.examine import Examination
from napari_medadv.errors import DetectorError
from napari_medadv.volume import Bools

SHARE = 0.01


def suspicious_region(examination: Examination, share: float = SHARE) -> tuple[Bools, str]:
    """The voxels that the most suspicious detector with a heat map points at, and a few words on it.

    Parameters
    ----------
    share
        How much of the volume: the voxels with the highest values of the map.

    Returns
    -------
    region
        bool, (z, y, x).
    words
        Which detector, and how much.

    Raises
    ------
    DetectorError
        There is no alarm, so that nothing is to be pointed at; or no detector with a heat map was run, or it sees nothing
        by itself.
    """
    if not examination.alarm:
        raise DetectorError(
            f"The series is not suspicious at {100 * examination.level:g} % (p = {examination.p:.3f}), so there is no region to write."
        )
    located = [each for each in examination.evidence if each.where is not None]
    if not located:
        raise DetectorError("No detector that was run says where: add squeeze or alignment, and calibrate with it.")
    first = min(located, key=lambda each: (each.p > examination.level, not each.fused, each.p))
    assert first.where is not None
    if first.p > examination.level:
        raise DetectorError(
            f"The alarm comes from detectors that cannot say where; {first.detector}, which can, sees nothing by itself (p = {first.p:.3f} "
            f"at {100 * examination.level:g} %), so there is no region to write."
        )
    count = max(round(share * first.where.size), 1)
    least = np.partition(first.where.ravel(), -count)[-count]
    region: Bools = (first.where >= least) & (first.where > 0)
    if not region.any():
        raise DetectorError(f"The heat map of {first.detector} is empty: there is no region to write.")
    return region, f"{first.detector}, highest {100 * share:g} %"

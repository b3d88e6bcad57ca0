"""The phantom: the same seed is the same person, and every nodule is where it is said to be."""

import numpy as np
import pytest

from napari_medadv.phantom import chest_ct

SHAPE, SPACING = (20, 96, 96), (12.0, 3.7, 3.7)


def test_a_seed_is_a_person() -> None:
    first, nodules = chest_ct(1, SHAPE, SPACING)
    again, same = chest_ct(1, SHAPE, SPACING)
    other, _ = chest_ct(2, SHAPE, SPACING)
    assert np.array_equal(first, again) and nodules == same
    assert not np.array_equal(first, other)


def test_it_holds_air_lung_soft_tissue_and_bone() -> None:
    voxels, _ = chest_ct(3, SHAPE, SPACING, nodules=0)
    assert voxels.dtype == np.int16 and voxels.shape == SHAPE
    middle = voxels[10]
    for low, high, least in ((-1024, -950, 0.2), (-930, -750, 0.05), (-150, 120, 0.15), (250, 3071, 0.004)):
        assert ((middle > low) & (middle < high)).mean() > least, (low, high)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_nodule_is_dense_where_it_is_listed_and_absent_in_the_same_person_without(seed: int) -> None:
    with_nodules, nodules = chest_ct(seed, SHAPE, SPACING, nodules=2, diameters=(16, 20))
    without, none = chest_ct(seed, SHAPE, SPACING, nodules=0)
    assert not none and nodules
    for nodule in nodules:
        at = tuple(round(place / step) for place, step in zip(nodule.centre, SPACING, strict=True))
        assert with_nodules[at] > -500 > -600 > without[at]
        assert nodule.chord(np.array([nodule.centre[0], nodule.centre[0] + 2 * nodule.radius]))[1] == 0

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from napari_medadv.measure import absolute_difference, distortion, relative_difference, signed_difference
from napari_medadv.measure.similarity import psnr, ssim
from napari_medadv.volume import Scale, Volume, Window


def pair(slope: float = 2.0, shape: tuple[int, ...] = (3, 16, 20)) -> tuple[Volume, Volume]:
    rng = np.random.default_rng(0)
    scale = Scale("HU", -2048, 2047, slope=np.array([slope]), intercept=np.array([-1024.0]))
    clean = Volume(rng.integers(300, 700, shape).astype(np.int16), np.eye(4), scale, (Window(0, 400, "LINEAR_EXACT"),))
    voxels = clean.voxels.copy()
    voxels[1, 2, 3] += 4
    voxels[1, 2, 4] -= 3
    return clean, clean.with_voxels(voxels)


def test_differences_are_in_the_unit_of_the_volume() -> None:
    clean, other = pair()
    signed = signed_difference(clean, other)
    assert signed.unit == "HU" and signed.values.dtype == np.float32
    assert (signed.values[1, 2, 3], signed.values[1, 2, 4]) == (8, -6)
    assert np.asarray(absolute_difference(clean, other).values).sum() == 14
    assert signed.largest == 8 and signed.per_slice.tolist() == [0, 14, 0]
    relative = relative_difference(clean, other)
    assert relative.unit == "% of the window" and relative.values[1, 2, 3] == pytest.approx(2.0)


def test_a_negative_slope_turns_the_sign() -> None:
    clean, other = pair(slope=-1.0)
    assert signed_difference(clean, other).values[1, 2, 3] == -4


def test_unsigned_voxels_do_not_wrap() -> None:
    scale = Scale("stored value", 0, 65535)
    clean = Volume(np.full((1, 2, 2), 65535, np.uint16), np.eye(4), scale)
    other = clean.with_voxels(np.zeros((1, 2, 2), np.uint16))
    assert np.asarray(signed_difference(clean, other).values).tolist() == [[[-65535.0] * 2] * 2]


def test_volumes_of_other_geometry_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be subtracted"):
        signed_difference(pair()[0], pair(shape=(3, 16, 21))[0])


def test_distortion_gives_the_numbers_beside_a_perturbation() -> None:
    found = distortion(*pair())
    assert (found.linf, found.changed, found.slices) == (8, 2, 1)
    assert found.l2 == found.l2_slice == pytest.approx(10)
    assert 0.9 < found.ssim < 1
    assert "Linf 8 HU" in found.sentence


def test_psnr_follows_its_definition() -> None:
    clean, other = pair()
    grey = [clean.window.grey(volume.values()[1]) for volume in (clean, other)]
    expected = -10 * math.log10(float(np.mean((grey[0] - grey[1]) ** 2)))
    assert psnr(clean, other) == pytest.approx(expected, rel=1e-5)


def test_equal_volumes_are_equal() -> None:
    clean, _ = pair()
    assert psnr(clean, clean) == math.inf and ssim(clean, clean) == 1
    assert distortion(clean, clean).changed == 0


def test_tiny_slices_have_no_structure() -> None:
    assert math.isnan(ssim(*pair(shape=(3, 8, 8))))


def test_colour_has_a_similarity() -> None:
    rng = np.random.default_rng(1)
    clean = Volume(rng.integers(0, 200, (1, 16, 16, 3)).astype(np.uint8), np.eye(4), Scale("level", 0, 255))
    other = clean.with_voxels(clean.voxels + np.uint8(20))
    assert 0 < ssim(clean, other) < 1 and distortion(clean, other).changed == 256


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_grey_is_what_the_classifier_sees(function: str) -> None:
    import torch

    from napari_medadv.model.intake import shown

    window = Window(40, 80, function)  # type: ignore[arg-type]
    values = np.linspace(-100, 200, 301, dtype=np.float32)
    assert np.allclose(window.grey(values), shown(torch.from_numpy(values), window).numpy(), atol=1e-6)


def test_similarity_is_that_of_the_picture_as_it_is_read() -> None:
    clean, _ = pair()
    other = clean.with_voxels((clean.voxels - 20).astype(np.int16))
    dark = [replace(volume, photometric="MONOCHROME1") for volume in (clean, other)]
    grey = [1 - clean.window.grey(volume.values()) for volume in dark]
    options = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    measured: Callable[..., float] = structural_similarity
    expected = np.mean([measured(*planes, **options) for planes in zip(*grey, strict=True)])
    assert ssim(*dark) == pytest.approx(expected) and ssim(*dark) > ssim(clean, other) + 0.001


def test_colours_of_16_bits_run_from_black_to_white_over_all_their_levels() -> None:
    clean = Volume(np.zeros((1, 4, 4, 3), np.uint16), np.eye(4), Scale("stored value", 0, 65535), placed=False)
    assert relative_difference(clean, clean.with_voxels(clean.voxels + np.uint16(6554))).largest == pytest.approx(
        10, rel=1e-3
    )

"""Nouns as layer data."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medadv.attacks import Perturbation
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.display import KEY, HeatView, Loaded, Outcome, adversarial_layer, heat_layer, presets, volume_layer
from napari_medadv.display.layers import SHOWN, length_unit, shown_values, window_style
from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings, Prediction
from napari_medadv.table import Table
from napari_medadv.threat import Conceal, Linf, Threat
from napari_medadv.volume import Array, Scale, Volume, Window


def ct(voxels: Array | None = None) -> Volume:
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5) if voxels is None else voxels
    scale = Scale("HU", -2048, 2047, intercept=np.array([-1000.0]))
    return Volume(stored, np.diag([2.5, 0.5, 0.75, 1.0])[[2, 1, 0, 3]], scale, (Window(-600, 1500),), modality="CT")


def outcome(clean: Volume, adversarial: Volume) -> Outcome:
    said = Prediction(Findings(("nodule",), "sigmoid"), np.array([0.9]))
    threat = Threat(Conceal("nodule"), Linf(8))
    found = Perturbation(clean, adversarial, threat, FGSM(), 0, (0, 1, 2), said, said, False, 0, 0)
    classifier = Classifier(lambda values: values, said.findings, "HU")
    return Outcome(Loaded(clean), classifier, found, signed_difference(clean, adversarial))


def test_a_volume_is_shown_in_its_unit_and_in_mm() -> None:
    volume = ct()
    data, settings, kind = volume_layer(Loaded(volume))
    assert kind == "image" and data.dtype == np.int16
    assert np.array_equal(data, volume.values())
    assert settings["scale"] == (2.5, 0.5, 0.75) and settings["units"] == ("mm",) * 3
    assert settings["axis_labels"] == ("S", "P", "L")
    assert settings["contrast_limits"] == Window(-600, 1500).limits and settings["colormap"] == "gray"


def test_monochrome1_is_dark_where_high_and_colour_is_rgb() -> None:
    flat = Volume(np.zeros((1, 4, 4), np.uint16), np.eye(4), Scale("stored value", 0, 4095), photometric="MONOCHROME1")
    assert volume_layer(Loaded(flat))[1]["colormap"] == "gray_r"
    photograph = Volume(np.zeros((1, 4, 4, 3), np.uint8), np.eye(4), Scale("level", 0, 255), photometric="RGB")
    settings = volume_layer(Loaded(photograph))[1]
    assert settings["rgb"] is True and "contrast_limits" not in settings
    assert presets(photograph) == {}


def test_a_slice_wise_rescale_is_shown_as_values() -> None:
    scale = Scale("HU", -2048, 2047, np.array([1.0, 2.0, 0.5]), np.array([0.0, 1.0, 2.0]))
    volume = Volume(np.ones((3, 2, 2), np.int16), np.eye(4), scale)
    assert shown_values(volume)[:, 0, 0].tolist() == [1.0, 3.0, 2.5]


def test_the_adversarial_layer_lies_on_its_source_and_carries_its_noun() -> None:
    clean = ct()
    found = outcome(clean, clean.with_voxels(clean.voxels + np.int16(3)))
    _, source, _ = volume_layer(found.loaded)
    data, settings, _ = adversarial_layer(found)
    for name in ("scale", "units", "axis_labels", "contrast_limits"):
        assert settings[name] == source[name]
    assert np.array_equal(settings["affine"], source["affine"])
    assert settings["metadata"] == {KEY: found, SHOWN: settings["metadata"][SHOWN]}
    assert settings["metadata"][SHOWN] is data
    assert (data - volume_layer(found.loaded)[0] == 3).all()


def test_a_heat_map_is_symmetric_about_zero_and_clear_where_nothing_changed() -> None:
    clean = ct()
    stored = clean.voxels.copy()
    stored[0, 0, 0] += 5
    stored[1, 1, 1] -= 2
    found = outcome(clean, clean.with_voxels(stored))
    data, settings, _ = heat_layer(found, HeatView())
    assert settings["contrast_limits"] == (-5, 5) and data[1, 1, 1] == -2
    colors = settings["colormap"]["colors"]
    assert colors[len(colors) // 2, 3] == 0 and colors[0, 3] == colors[-1, 3] == 1
    assert np.array_equal(colors[:, 3], colors[::-1, 3])


def test_a_threshold_clears_small_changes() -> None:
    colors = HeatView(threshold=4).colors(8.0)
    place = np.linspace(-8, 8, len(colors))
    assert (colors[np.abs(place) < 4, 3] == 0).all() and (colors[np.abs(place) > 4, 3] > 0).all()


def test_amplification_and_relative_unit_follow_the_window() -> None:
    clean = ct()
    found = outcome(clean, clean.with_voxels(clean.voxels + np.int16(8)))
    assert HeatView().amplification(found) == pytest.approx(1499 / 16)
    assert HeatView("absolute").amplification(found) == pytest.approx(1499 / 8)
    relative = HeatView("relative")
    assert relative.unit(clean) == "% of window" and relative.factor(clean) * 1499 == pytest.approx(100)


def test_an_unchanged_volume_still_has_a_range() -> None:
    clean = ct()
    assert HeatView().reach(outcome(clean, clean)) == 1.0


def test_presets_begin_with_the_files_windows() -> None:
    found = presets(ct())
    assert next(iter(found.values())) == Window(-600, 1500)
    assert {"Lung", "Mediastinum", "Bone", "Brain"} <= set(found) and len(found) <= 9


def test_an_image_without_spacing_is_measured_in_pixels() -> None:
    plain = Volume(
        np.zeros((1, 4, 4), np.uint16),
        np.eye(4),
        Scale("stored value", 0, 4095),
        facts=("the file gives no pixel spacing: distances are in pixels",),
    )
    assert length_unit(plain) == "pixel" and length_unit(ct()) == "mm"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "window",
    [Window(300, 200, "SIGMOID"), Window.from_table(Table(100, np.linspace(0, 1, 500) ** 3)), Window(300, 200)],
)
def test_the_screen_shows_the_curve_of_the_window(window: Window, photometric: str) -> None:
    volume = Volume(np.arange(1000, dtype=np.uint16)[None, None], np.eye(4), Scale("stored value", 0, 4095), (window,))
    volume = Volume(volume.voxels, volume.affine, volume.scale, (window,), photometric=photometric)
    style = window_style(volume, window)
    settings = volume_layer(Loaded(volume))[1]
    assert settings["contrast_limits"] == style["contrast_limits"]
    low, high = style["contrast_limits"]
    place = ((volume.values()[0, 0] - low) / (high - low)).clip(0, 1)
    if isinstance(style["colormap"], str):
        shown = 1 - place if style["colormap"] == "gray_r" else place
    else:
        colors = style["colormap"]["colors"]
        shown = np.interp(place, np.linspace(0, 1, len(colors)), colors[:, 0])
        assert (colors[:, :3] == colors[:, :1]).all() and (colors[:, 3] == 1).all()
    expected = window.grey(volume.values()[0, 0])
    assert np.abs(shown - (1 - expected if photometric == "MONOCHROME1" else expected)).max() < 0.01

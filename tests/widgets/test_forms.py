"""Forms made from dataclass fields, numbers with units, bars and words."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_medadv.attacks.pgd import PGD
from napari_medadv.catalogue import entry, names
from napari_medadv.display import HeatView, Loaded
from napari_medadv.measure import signed_difference
from napari_medadv.measure.distortion import Distortion
from napari_medadv.prediction import Findings, Prediction
from napari_medadv.settings import fields
from napari_medadv.threat import L2
from napari_medadv.volume import Scale, Volume, Window
from napari_medadv.widgets.bars import colour, percent
from napari_medadv.widgets.budget_rows import default_epsilon, meaning
from napari_medadv.widgets.ink import ink_of
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.overlay_words import amplified, spoken
from napari_medadv.widgets.settings_form import SettingsForm, explained

HOME = "napari_medadv.attacks"


@pytest.mark.parametrize("name", names(HOME))
def test_every_attack_has_a_form_whose_defaults_are_its_own(qtbot: Any, name: str) -> None:
    kind = entry(name, HOME)
    form = SettingsForm(kind)
    qtbot.addWidget(form)
    assert form.value() == kind()


def test_a_form_can_begin_with_what_was_run(qtbot: Any) -> None:
    form = SettingsForm(PGD, PGD(steps=7, loss="margin"))
    qtbot.addWidget(form)
    assert form.value() == PGD(steps=7, loss="margin")


@pytest.mark.parametrize("name", ["kspace", "sinogram", "gain_gamma", "bias_field"])
def test_what_attacks_at_the_moment_of_capture_share_is_explained_too(name: str) -> None:
    kind = entry(name, HOME)
    assert set(fields(kind)) <= set(explained(kind))


def test_the_words_of_the_docstring_are_tooltips() -> None:
    words = explained(entry("pgd", HOME))
    assert words["steps"] == "Steps of each start." and words["starts"].startswith("How many starts")


def test_a_number_is_short_and_has_its_unit(qtbot: Any) -> None:
    field = Number(8.0, lowest=0.0, highest=math.inf, unit="HU")
    qtbot.addWidget(field)
    assert field.text() == "8 HU"
    field.set_number(math.inf)
    assert field.text() == "inf HU" and math.isinf(field.number)
    field.set_number(2.55)
    assert field.text() == "2.55 HU" and field.number == 2.55


def test_the_words_of_the_overlay_name_the_whole_window_and_the_whole_of_the_colours() -> None:
    clean = Volume(np.zeros((2, 8, 8), np.int16), np.eye(4), Scale("HU", -1024, 3071), (Window(-600, 1500),))
    difference = signed_difference(clean, clean.with_voxels(clean.voxels + np.int16(12)))
    found: Any = SimpleNamespace(loaded=Loaded(clean), difference=difference)
    words = amplified(HeatView(), found)
    assert "62.5 ×" in words and "−12 to +12 HU" in words and "takes 1499 HU" in words
    words = amplified(HeatView("absolute"), found)
    assert "125 ×" in words and "0 to 12 HU" in words and "takes 1499 HU" in words


def test_green_agrees_with_the_truth_and_red_does_not() -> None:
    said = Prediction(Findings(("nodule", "effusion"), "sigmoid"), np.array([0.9, 0.2]))
    ink = ink_of(None)
    assert colour(said, "nodule", {}, ink) == ink.plain
    assert colour(said, "nodule", {"nodule": True}, ink) == ink.good
    assert colour(said, "nodule", {"nodule": False}, ink) == ink.bad
    assert colour(said, "effusion", {"effusion": False}, ink) == ink.good


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.5, "50.0 %"), (0.99999, "&gt; 99.9 %"), (1.0, "100.0 %"), (1e-6, "&lt; 0.1 %"), (0.0, "0.0 %")],
)
def test_per_cent_never_claims_certainty(probability: float, words: str) -> None:
    assert percent(probability) == words


def test_the_first_budget_is_hard_to_see_and_can_be_stored() -> None:
    ct = Volume(np.zeros((2, 64, 64), np.int16), np.eye(4), Scale("HU", -1024, 3071), (Window(-600, 1500),))
    coarse = Volume(np.zeros((2, 64, 64), np.int16), np.eye(4), Scale("HU", -1024, 3071, slope=np.array([20.0])))
    assert default_epsilon(ct) == 8 and default_epsilon(coarse) == 20
    assert default_epsilon(ct, "l2") == 130 and default_epsilon(ct, "l0") == 4


def test_numbers_are_told_with_units() -> None:
    words = spoken(Distortion("HU", 8.0, 900.0, 300.0, 12345, 1, math.inf, math.nan))
    assert words["Linf"] == "8 HU" and words["Changed voxels"] == "12 345 in 1 slice"
    assert words["PSNR"] == "no visible change" and words["SSIM"] == "slices too small"


def test_a_budget_for_the_whole_volume_is_spread_over_all_of_it(loaded: Loaded) -> None:
    slices, volume = loaded.volume.shape[0], loaded.volume
    one = float(meaning(L2(1000), volume).split()[1])
    whole = float(meaning(L2(1000), volume, whole=True).split()[1])
    assert whole == pytest.approx(one / math.sqrt(slices), rel=0.05)


def test_a_number_may_be_as_small_as_a_diffusion_coefficient(qtbot: Any) -> None:
    field = Number(3.3e-11, lowest=0.0, unit="m2/s")
    qtbot.addWidget(field)
    assert field.number == pytest.approx(3.3e-11) and field.text() == "3.3e-11 m2/s"

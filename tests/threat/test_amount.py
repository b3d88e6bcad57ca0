"""A budget as a person says it becomes the budget that means it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_medadv.audit.meaning import meaning
from napari_medadv.errors import ThreatError
from napari_medadv.threat import L0, L1, L2, Amount, Linf
from napari_medadv.threat.amount import Said
from napari_medadv.threat.ball import Norm
from napari_medadv.threat.gsdf import Display
from napari_medadv.threat.unit import stated
from napari_medadv.volume import Scale, Volume, Window

LUNG = Volume(
    np.zeros((3, 10, 10), np.int16), np.eye(4), Scale("HU", -1024, 3071), (Window(-600, 1500, "LINEAR_EXACT"),)
)
PHOTOGRAPH = Volume(np.zeros((1, 4, 4, 3), np.uint8), np.eye(4), Scale("level", 0, 255), photometric="RGB")


def test_native_is_epsilon_itself() -> None:
    assert Amount(8).budget("Linf", LUNG) == Linf(8) and Amount(8).budget("L2", LUNG) == L2(8)
    assert Amount(8).budget("L1", LUNG) == L1(8) and Amount(8).budget("L0", LUNG) == L0(8)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("measure", "name"),
    [("percent", "% of window"), ("grey", "grey level of 255"), ("jnd", "JND"), ("psnr", "PSNR dB")],
)
def test_what_was_asked_is_what_is_stated(measure: Said, name: str, norm: Norm, whole: bool) -> None:
    budget = Amount(5, measure).budget(norm, LUNG, whole=whole)
    assert budget.norm == norm
    assert stated(budget, LUNG.window, 300 if whole else 100)[name] == pytest.approx(5)


def test_a_colour_counts_all_channels_and_knows_no_noticeable_difference() -> None:
    assert Amount(10, "percent").budget("L2", PHOTOGRAPH).epsilon == pytest.approx(25.5 * math.sqrt(48))
    with pytest.raises(ThreatError, match="in colour"):
        Amount(1, "jnd").budget("Linf", PHOTOGRAPH)


@pytest.mark.parametrize(("number", "measure"), [(0, "grey"), (-1, "native"), (math.nan, "jnd"), (math.inf, "psnr")])
def test_amounts_that_bound_nothing(number: float, measure: Said) -> None:
    with pytest.raises(ThreatError, match="A budget of"):
        Amount(number, measure)


def test_measures_that_are_none() -> None:
    with pytest.raises(ThreatError, match="no measure"):
        Amount(1, "shade")  # type: ignore[arg-type]
    for norm in ("L1", "L0"):
        with pytest.raises(ThreatError, match="measured as it is"):
            Amount(1, "percent").budget(norm, LUNG)


def test_just_noticeable_differences_are_those_of_the_display_that_was_named() -> None:
    bright = Amount(4, "jnd", 0.5, 1000).budget("Linf", LUNG)
    assert bright.epsilon == pytest.approx(4 * 1500 / Display(0.5, 1000).differences)
    assert bright.epsilon < Amount(4, "jnd").budget("Linf", LUNG).epsilon
    told = meaning(bright, LUNG, Amount(4, "jnd", 0.5, 1000))
    assert told["stated"]["JND"] == pytest.approx(4) and told["display cd/m2"] == [0.5, 1000]
    with pytest.raises(ThreatError, match="is none that PS3"):
        Amount(4, "jnd", 350, 1)

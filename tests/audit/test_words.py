"""What a person reads of a goal and of a budget."""

import json

import numpy as np
import pytest

from napari_medadv.audit.meaning import meaning, meaning_words
from napari_medadv.audit.threat_json import GOALS
from napari_medadv.threat import L0, L2, Alone, Amount, Conceal, Confuse, Fabricate, Goal, Linf, Reach, Swap
from napari_medadv.threat.goal_words import done_words, goal_words
from napari_medadv.volume import Scale, Volume, Window

TOLD: list[tuple[Goal, str, str]] = [
    (Conceal("nodule"), "Conceal nodule", "concealed"),
    (Fabricate("nodule"), "Fabricate nodule", "fabricated"),
    (Confuse(), "Confuse", "confused"),
    (Alone("nodule"), "Conceal nodule alone", "concealed alone"),
    (Alone("nodule", "fabricate"), "Fabricate nodule alone", "fabricated alone"),
    (Swap("benign", "malignant"), "Swap benign for malignant", "swapped"),
    (Reach("nodule", 0.9), "nodule at least 90 %", "at least 90 %"),
    (Reach("nodule", 0.125, "at most"), "nodule at most 12.5 %", "at most 12.5 %"),
]


def test_every_goal_has_words() -> None:
    assert {type(goal) for goal, _, _ in TOLD} == set(GOALS.values())


@pytest.mark.parametrize(("goal", "wish", "done"), TOLD)
def test_the_words_of_a_goal(goal: Goal, wish: str, done: str) -> None:
    assert (goal_words(goal), done_words(goal)) == (wish, done)


def grey(window: Window) -> Volume:
    return Volume(np.zeros((3, 10, 10), np.int16), np.eye(4), Scale("HU", -1024, 3071), (window,))


def test_the_words_of_a_budget() -> None:
    lung = grey(Window(-600, 1500, "LINEAR_EXACT"))
    found = meaning(Linf(12), lung)
    assert json.loads(json.dumps(found, allow_nan=False)) == found and found["window"] == [-1350, 150]
    assert meaning_words(found).startswith("12 HU = 0.8 % of the window = 2 of 255 greys = ")
    assert " JND, PSNR at least 41.9 dB" in meaning_words(found)
    assert found["asked"] == {"number": 12, "measure": "native", "darkest": 1.0, "brightest": 350.0}
    assert meaning_words(meaning(L2(120), lung)).startswith(
        "120 HU (L2) = 12 HU root mean square = 0.8 % of the window"
    )
    assert meaning(L2(120), lung, whole=True)["stated"]["native"] == pytest.approx(120 / np.sqrt(300))
    assert meaning_words(meaning(L0(7), lung)) == "7 voxels (L0)"


def test_a_window_without_width_and_a_colour_are_told_what_can_be_told() -> None:
    assert meaning(Linf(12), grey(Window(40, 1)))["stated"] == {"epsilon": 12}
    photograph = Volume(np.zeros((1, 4, 4, 3), np.uint8), np.eye(4), Scale("level", 0, 255), photometric="RGB")
    found = meaning(Amount(2, "grey").budget("Linf", photograph), photograph, Amount(2, "grey"))
    assert found["stated"]["epsilon"] == pytest.approx(2) and "JND" not in found["stated"]
    assert "JND" not in meaning_words(found)


def test_a_large_budget_is_told_without_powers_of_ten() -> None:
    said = {
        "epsilon": 596.763,
        "native": 596.763,
        "% of window": 39.8,
        "grey level of 255": 101.5,
        "JND": 231.6,
        "PSNR dB": 8.0,
    }
    words = meaning_words({"stated": said, "norm": "Linf", "unit": "HU"})
    assert words == "596.763 HU = 40 % of the window = 102 of 255 greys = 232 JND, PSNR at least 8.0 dB"

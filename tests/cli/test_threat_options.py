"""Goals and budgets as the command line offers them: each runs, is recorded as it was asked, and replays."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from tests.cli.conftest import Medadv
from tests.cli.noting import Noting

WINDOW = 1499.0
"""The width of the source's display window between black and white, in HU."""


def recorded(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "record.json").read_text())
    return found


@pytest.mark.parametrize(
    ("words", "goal", "said"),
    [
        (
            ["--conceal", "upper", "--others-stay"],
            {"kind": "alone", "label": "upper", "wish": "conceal"},
            "concealed alone",
        ),
        (
            ["--fabricate", "lower", "--others-stay"],
            {"kind": "alone", "label": "lower", "wish": "fabricate"},
            "fabricated alone",
        ),
        (["--swap", "upper", "lower"], {"kind": "swap", "hidden": "upper", "shown": "lower"}, "swapped"),
        (
            ["--conceal", "upper", "--confidence", 0.3],
            {"kind": "reach", "label": "upper", "probability": 0.3, "way": "at most"},
            "at most 30 %",
        ),
        (
            ["--fabricate", "lower", "--confidence", 0.7],
            {"kind": "reach", "label": "lower", "probability": 0.7, "way": "at least"},
            "at least 70 %",
        ),
    ],
)
def test_every_goal_is_reached_recorded_and_replayed(
    medadv: Medadv, ct: Path, halves: Path, tmp_path: Path, words: list[object], goal: dict[str, object], said: str
) -> None:
    out = tmp_path / "out"
    told = medadv("attack", ct, "--model", halves, *words, "--epsilon", 32, "--steps", 12, "--out", out)
    assert told.code == 0, told.err
    assert f"same integers, still {said}\n" in told.out
    found = recorded(out)
    assert found["threat"]["goal"] == goal and found["result"]["reached"]
    before, after = (set(found["result"][when]["present"]) for when in ("before", "after"))
    assert before == {"upper"}
    if goal["kind"] == "alone":
        assert before ^ after == {goal["label"]}
    if goal["kind"] == "swap":
        assert after == {"lower"}
    assert medadv("replay", out / "record.json").code == 0


@pytest.mark.parametrize(
    ("measure", "number", "norm", "epsilon"),
    [
        ("native", 16, "linf", 16.0),
        ("percent", 4, "linf", 0.04 * WINDOW),
        ("grey", 10, "linf", 10 / 255 * WINDOW),
        ("psnr", 28, "linf", WINDOW * 10 ** (-28 / 20)),
        ("psnr", 28, None, WINDOW * 10 ** (-28 / 20) * math.sqrt(16 * 12)),
        ("percent", 4, "l2", 0.04 * WINDOW * math.sqrt(16 * 12)),
        ("native", 200, "l2", 200.0),
    ],
)
def test_a_budget_in_every_measure(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, measure: str, number: float, norm: str | None, epsilon: float
) -> None:
    out = tmp_path / "out"
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", number, "--measure", measure]
    said = medadv(*words, *(["--norm", norm] if norm else []), "--steps", 5, "--out", out)
    assert said.code == 0, said.err
    found = recorded(out)
    assert found["threat"]["budget"] == {
        "norm": norm or "l2",
        "epsilon": pytest.approx(epsilon),
        "unit": "HU",
    }
    asked = {"number": number, "measure": measure, "darkest": 1.0, "brightest": 350.0}
    assert found["budget"]["asked"] == asked
    stated, (black, white) = found["budget"]["stated"], found["budget"]["window"]
    assert stated["epsilon"] == pytest.approx(epsilon) and white - black == pytest.approx(WINDOW)
    each = epsilon if norm == "linf" else epsilon / math.sqrt(16 * 12)
    assert stated["% of window"] == pytest.approx(100 * each / WINDOW)
    assert stated["PSNR dB"] == pytest.approx(-20 * math.log10(each / WINDOW))
    clean, other = (decode(scan(folder)[0]).voxels.astype(float) for folder in (ct, out / "series"))
    change = other - clean
    largest = np.abs(change).max() if norm == "linf" else np.sqrt((change**2).sum(axis=(1, 2))).max()
    assert 0 < largest <= epsilon * (1 + 1e-6)
    assert f"budget    {epsilon:.6g} HU" in said.out and "of 255 greys" in said.out and "JND" in said.out
    assert medadv("replay", out / "record.json", "--out", tmp_path / "again").code == 0
    assert recorded(tmp_path / "again")["budget"] == found["budget"]


def test_just_noticeable_differences_are_fewer_than_greys(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 20, "--measure", "jnd"]
    assert medadv(*words, "--out", tmp_path / "out").code == 0
    stated = recorded(tmp_path / "out")["budget"]["stated"]
    assert stated["JND"] == pytest.approx(20) and stated["grey level of 255"] < 20


def test_voxels_are_stated_as_they_are(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 20, "--norm", "l0", "--out"]
    said = medadv(*words, tmp_path / "out")
    assert said.code == 0 and "budget    20 voxels (L0)" in said.out
    assert recorded(tmp_path / "out")["budget"]["stated"] == {"epsilon": 20}


def test_a_warning_of_the_attack_is_read_by_a_person(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    name, out = f"{Noting.__module__}:{Noting.__name__}", tmp_path / "out"
    said = medadv(
        "attack", ct, "--model", model, "--attack", name, "--conceal", "nodule", "--epsilon", 16, "--out", out
    )
    assert said.code == 0, said.err
    assert "warning: The gradient is zero for 1 of 4 inputs." in said.out
    assert recorded(out)["result"]["facts"] == ["The gradient is zero for 1 of 4 inputs."]
    assert medadv("replay", out / "record.json", "--trust-code").code == 0

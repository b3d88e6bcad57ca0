"""The robustness curve of several series: what is needed for each, in the measure asked for, and who was wrong already."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write

BRIGHT, DARK = 834, 750
"""Stored values of about -190 HU, where the finding is present by ten HU, and of -274, where it is not."""


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Two CTs with the finding, and one without it."""
    for number, level in enumerate((BRIGHT, BRIGHT + 5, DARK)):
        rng = np.random.default_rng(number)
        for index in range(2):
            voxels = (level + rng.integers(-20, 21, (16, 12))).astype(np.int16)
            made = dataset("CT", index, voxels=voxels)
            made.SeriesInstanceUID = f"1.2.3.{number + 1}"
            made.SOPInstanceUID = f"1.2.3.{number + 1}.{index + 1}"
            write(made, tmp_path / "cohort" / f"ct{number}" / f"{index}.dcm")
    return tmp_path / "cohort"


def needed(folder: Path) -> list[int]:
    """The HU that every slice of each series has to lose, by arithmetic: the classifier asks for a mean above -200 HU."""
    means = [decode(series).values().mean(axis=(1, 2)).max() for series in scan(folder).series]
    return [max(0, math.ceil(mean + 200)) for mean in means]


def test_the_smallest_epsilon_of_each_series_and_the_share_at_every_budget(
    medadv: Medadv, cohort: Path, model: Path, tmp_path: Path
) -> None:
    expected = needed(cohort)
    assert expected[2] == 0 < expected[0] < expected[1]
    budgets = [word for epsilon in (4, 12, 32) for word in ("--epsilon", epsilon)]
    words = ["curve", cohort, "--model", model, "--conceal", "nodule", *budgets]
    said = medadv(*words, "--json", "--out", tmp_path / "out")
    found = json.loads(said.out)
    sizes = [each["epsilon"] for each in found["series"]]
    assert sizes == expected and [each["unit"] for each in found["series"]] == ["HU"] * 3
    for row in found["robust"]:
        assert row["share"] == sum(size > row["epsilon"] for size in expected) / 3
        assert row["low"] <= row["share"] <= row["high"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["curve.csv", "curve.json", "curve.png"]
    assert json.loads((tmp_path / "out" / "curve.json").read_text()) == found
    with (tmp_path / "out" / "curve.csv").open(newline="") as file:
        assert [float(row["epsilon, HU"]) for row in csv.DictReader(file)] == expected
    told = medadv(*words).out
    assert "as it is" in told and f"half of them have fallen at {sorted(expected)[1]} HU" in told


def test_in_grey_levels_the_curve_is_that_of_the_window(medadv: Medadv, cohort: Path, model: Path) -> None:
    words = ["curve", cohort, "--model", model, "--conceal", "nodule", "--measure", "grey", "--epsilon", 1]
    found = json.loads(medadv(*words, "--json").out)
    low, high = decode(scan(cohort)[0]).window.limits
    for each, native in zip(found["series"], needed(cohort), strict=True):
        assert each["native"] == native and each["epsilon"] == pytest.approx(native * 255 / (high - low))


def test_who_is_wrong_already_counts_as_fallen(medadv: Medadv, cohort: Path, halves: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"cohort/ct{number}/0.dcm,{label},test" for number, label in enumerate(("upper", "lower"))]
    table.write_text("\n".join(["file,label,split", *rows, "cohort/ct2/0.dcm,upper,train"]))
    words = ["--table", table, "--model", halves, "--confuse", "--epsilon", 64]
    found = json.loads(medadv("curve", cohort, *words, "--split", "test", "--json").out)
    assert [(each["right"], each["epsilon"] > 0) for each in found["series"]] == [(True, True), (False, False)]
    every = json.loads(medadv("curve", cohort, *words, "--json").out)["series"]
    assert [each["right"] for each in every] == [True, False, False] and every[2]["epsilon"] == 0
    assert len(json.loads(medadv("curve", cohort, *words, "--limit", 1, "--json").out)["series"]) == 1
    table.write_text("file,label\ncohort/ct0/0.dcm,fracture")
    assert "'fracture', which the classifier does not know" in medadv("curve", cohort, *words).one_sentence()
    table.write_text("file\ncohort/ct0/0.dcm")
    assert "no column `label`" in medadv("curve", cohort, *words).one_sentence()
    table.write_text("file,label\nelsewhere.dcm,upper")
    assert "None of the 3 series" in medadv("curve", cohort, *words).one_sentence()


def test_a_series_that_nothing_fools_is_robust_and_no_number(medadv: Medadv, cohort: Path, model: Path) -> None:
    nowhere = ["--slices", "0:1", "--epsilon", 8, "--norm", "l0"]
    words = ["curve", cohort, "--model", model, "--fabricate", "nodule", *nowhere, "--steps", 2, "--confirm", 2]
    found = json.loads(medadv(*words, "--json").out)
    assert found["series"][2]["epsilon"] is None and found["robust"][-1]["share"] == pytest.approx(1 / 3)
    assert found["series"][0] == found["series"][0] | {"epsilon": 0.0, "unit": "voxels"}
    assert "0.0 % robust" not in medadv(*words).out


def test_bad_input_is_a_sentence(medadv: Medadv, cohort: Path, model: Path, tmp_path: Path) -> None:
    words = ["--model", model, "--conceal", "nodule"]
    assert "at least 1" in medadv("curve", cohort, *words, "--epsilon", 1, "--steps", 0).one_sentence()
    assert "positive" in medadv("curve", cohort, *words, "--epsilon", 1, "--epsilon", 0).one_sentence()
    assert "psnr" in medadv("curve", cohort, *words, "--epsilon", 30, "--measure", "psnr").one_sentence()
    inside = cohort / "out"
    assert "inside the source" in medadv("curve", cohort, *words, "--epsilon", 1, "--out", inside).one_sentence()
    (tmp_path / "none").mkdir()
    assert "no files" in medadv("curve", tmp_path / "none", *words, "--epsilon", 1).one_sentence()
    other = dataset("CR", voxels=np.full((16, 12), 2000, np.uint16))
    other.SeriesInstanceUID = "1.2.3.9"
    mixed = write(other, tmp_path / "cr" / "0.dcm").parent
    said = medadv("curve", cohort, mixed, *words, "--epsilon", 1).one_sentence()
    assert "one unit" in said or "unit" in said

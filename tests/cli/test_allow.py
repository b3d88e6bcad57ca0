"""--allow: a series with a gap is refused, or read by choice, and then every result says so."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write

FACT = "allowed by choice: 1 slice is missing"


@pytest.fixture
def gap(tmp_path: Path) -> Path:
    """Five slices of the small CT, of which the fourth place is empty."""
    rng = np.random.default_rng(0)
    for index in (0, 1, 2, 4, 5):
        voxels = (834 + rng.integers(-20, 21, (16, 12))).astype(np.int16)
        write(dataset("CT", index, voxels=voxels), tmp_path / "source" / f"{index}.dcm")
    return tmp_path / "source"


@pytest.fixture
def attacked(medadv: Medadv, gap: Path, model: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    words = ["attack", gap, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out]
    assert "--allow gap" in medadv(*words).one_sentence() and not out.exists()
    said = medadv(*words, "--allow", "gap")
    assert said.code == 0 and "read back: same integers, still concealed" in said.out and FACT in said.out
    return out


def test_predict_refuses_a_gap_or_says_that_it_was_allowed(medadv: Medadv, gap: Path, model: Path) -> None:
    assert "--allow gap" in medadv("predict", gap, "--model", model).one_sentence()
    assert "1 slice is missing" in medadv("predict", gap, "--model", model, "--allow", "uneven").one_sentence()
    said = medadv("predict", gap, "--model", model, "--allow", "uneven", "--allow", "gap")
    assert said.code == 0 and FACT in said.out
    found = json.loads(medadv("predict", gap, "--model", model, "--allow", "gap", "--json").out)
    assert [fact for fact in found["facts"] if FACT in fact]


def test_only_some_problems_can_be_allowed(medadv: Medadv, gap: Path, model: Path) -> None:
    said = medadv("predict", gap, "--model", model, "--allow", "duplicate")
    assert said.code == 2 and "gap" in said.err and "mosaic" in said.err


def test_the_record_keeps_what_was_allowed(attacked: Path) -> None:
    record = json.loads((attacked / "record.json").read_text())
    assert record["source"]["allow"] == ["gap"]
    assert [fact for fact in record["result"]["facts"] if FACT in fact]
    assert [problem.kind for problem in scan(attacked / "series")[0].problems] == ["gap"]
    assert len(decode(scan(attacked / "series")[0], allow=["gap"]).voxels) == 5


def test_replay_allows_what_the_record_allowed(medadv: Medadv, attacked: Path, tmp_path: Path) -> None:
    said = medadv("replay", attacked / "record.json", "--out", tmp_path / "again")
    assert said.code == 0 and FACT in said.out
    assert json.loads((tmp_path / "again" / "record.json").read_text())["source"]["allow"] == ["gap"]


def test_replay_of_a_record_that_does_not_say(medadv: Medadv, attacked: Path) -> None:
    path = attacked / "record.json"
    record = json.loads(path.read_text())
    del record["source"]["allow"]
    path.write_text(json.dumps(record))
    assert "--allow gap" in medadv("replay", path).one_sentence()
    found = json.loads(medadv("replay", path, "--allow", "gap", "--json").out)
    assert found["same"] and [fact for fact in found["facts"] if FACT in fact]


@pytest.mark.parametrize("said", [["size"], "gap", {"gap": 1}, [["gap"]]])
def test_a_record_cannot_allow_more_than_a_person_can(medadv: Medadv, attacked: Path, said: object) -> None:
    path = attacked / "record.json"
    record = json.loads(path.read_text())
    record["source"]["allow"] = said
    path.write_text(json.dumps(record))
    assert "may be overlooked" in medadv("replay", path).one_sentence()


def test_examining_takes_the_same_choice(medadv: Medadv, gap: Path, model: Path, tmp_path: Path) -> None:
    words = ["calibrate", gap, "--model", model, "--reference", tmp_path / "reference.json"]
    assert "--allow gap" in medadv(*words).one_sentence()
    assert "--allow" not in medadv(*words, "--allow", "gap").one_sentence()

"""Bad input: each is one sentence with exit code 2, and nothing is written."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write
from tests.model.networks import export, write_card

LOOK = '[[preprocess]]\nstep = "resize"\nsize = [16, 12]\n'


class Nothing(nn.Module):
    """NaN, whatever it sees."""

    def forward(self, values: Tensor) -> Tensor:
        return values.mean(dim=(1, 2, 3))[:, None] * float("nan")


class Colour(nn.Module):
    """A network of three channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 3)

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.conv(values).mean(dim=(2, 3))
        return found


def test_not_dicom(attack: Medadv, tmp_path: Path) -> None:
    (tmp_path / "letter.dcm").write_text("Dear colleague")
    assert "letter.dcm" in attack(path=tmp_path / "letter.dcm").one_sentence()


def test_empty_folder(attack: Medadv, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty holds no files" in attack(path=tmp_path / "empty").one_sentence()


def test_no_such_folder(attack: Medadv, tmp_path: Path) -> None:
    assert "does not exist" in attack(path=tmp_path / "nowhere").one_sentence()


@pytest.mark.parametrize("option", ["path", "model", "out"])
def test_a_path_that_is_too_long(attack: Medadv, tmp_path: Path, option: str) -> None:
    assert "shorter" in attack(**{option: tmp_path / ("a" * 300 + ".npy")}).one_sentence()


def test_truncated_file(attack: Medadv, ct: Path) -> None:
    whole = (ct / "2.dcm").read_bytes()
    (ct / "2.dcm").write_bytes(whole[:-100])
    attack().one_sentence()


def test_a_file_that_cannot_be_read_is_never_left_out_in_silence(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    (ct / "3.dcm").write_bytes((ct / "3.dcm").read_bytes()[:300])
    noted = "1 file of the source could not be read"
    assert noted in medadv("predict", ct, "--model", model).out
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"]
    assert noted in medadv(*words).out
    assert noted in (tmp_path / "out" / "record.json").read_text()


def test_no_card(attack: Medadv, model: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes((model / "model.pt2").read_bytes())
    assert "write model.toml with" in attack(model=tmp_path / "model.pt2").one_sentence()


def test_a_region_that_cannot_be_read(attack: Medadv, tmp_path: Path) -> None:
    sentence = attack(region=tmp_path / "none.npy").one_sentence()
    assert "No such file" in sentence and str(tmp_path) not in sentence
    (tmp_path / "none.tif").write_bytes(b"no picture")
    assert str(tmp_path) not in attack(region=tmp_path / "none.tif").one_sentence()


def test_missing_slice(attack: Medadv, ct: Path) -> None:
    (ct / "2.dcm").unlink()
    attack().one_sentence()


def test_mixed_geometry(attack: Medadv, ct: Path) -> None:
    write(dataset("CT", 1, voxels=np.zeros((20, 12), np.int16)), ct / "1.dcm")
    attack().one_sentence()


def test_several_series(attack: Medadv, ct: Path) -> None:
    write(dataset("MR"), ct / "other.dcm")
    sentence = attack().one_sentence()
    assert "2 series were found" in sentence and "--series" in sentence
    assert "from 1 to 2" in attack(series=3).one_sentence()


def test_wrong_label_in_the_goal(attack: Medadv) -> None:
    assert "no label 'cancer'" in attack(conceal="cancer").one_sentence()


def test_wrong_label_in_the_card(attack: Medadv, model: Path, tmp_path: Path) -> None:
    text = (model / "model.toml").read_text().replace("[[preprocess]]", "[thresholds]\nnodul = 0.5\n[[preprocess]]", 1)
    (tmp_path / "card.toml").write_text(text)
    assert "nodul" in attack(model=model / "model.pt2", card=tmp_path / "card.toml").one_sentence()


def test_wrong_channels(attack: Medadv, tmp_path: Path) -> None:
    (tmp_path / "colour").mkdir()
    export(Colour(), tmp_path / "colour" / "model.pt2", (3, 16, 12))
    write_card(tmp_path / "colour", LOOK, labels='["nodule"]', activation='"sigmoid"')
    assert "channel" in attack(model=tmp_path / "colour" / "model.pt2").one_sentence()


def test_nan_outputs(attack: Medadv, tmp_path: Path) -> None:
    (tmp_path / "nan").mkdir()
    export(Nothing(), tmp_path / "nan" / "model.pt2", (1, 16, 12))
    write_card(tmp_path / "nan", LOOK, labels='["nodule"]', activation='"sigmoid"')
    assert "NaN" in attack(model=tmp_path / "nan" / "model.pt2").one_sentence()


def test_a_pickle(attack: Medadv, tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "model.pt")
    write_card(tmp_path, LOOK, labels='["nodule"]', activation='"sigmoid"')
    attack(model=tmp_path / "model.pt").one_sentence()


def test_no_such_model(attack: Medadv, tmp_path: Path) -> None:
    attack(model=tmp_path / "none.pt2").one_sentence()


def test_a_factory_needs_trust(attack: Medadv, model: Path) -> None:
    attack(model="antigravity:make", card=model / "model.toml").one_sentence()


def test_below_one_grey_level(attack: Medadv) -> None:
    assert "below one grey level" in attack(epsilon=0.5).one_sentence()


@pytest.mark.parametrize("epsilon", ["0", "-3", "inf", "nan"])
def test_no_budget(attack: Medadv, epsilon: str) -> None:
    attack(epsilon=epsilon).one_sentence()


def test_output_inside_the_source(attack: Medadv, ct: Path) -> None:
    assert "inside the source" in attack(out=ct / "new").one_sentence()
    assert not (ct / "new").exists()


def test_output_that_is_taken(attack: Medadv, ct: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    assert "not empty" in attack(out=tmp_path / "taken").one_sentence()
    assert "is a file" in attack(out=tmp_path / "taken" / "notes.txt").one_sentence()
    assert "cannot be made" in attack(out=tmp_path / "taken" / "notes.txt" / "new").one_sentence()
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["notes.txt"]


def test_output_is_refused_before_any_work(attack: Medadv, ct: Path) -> None:
    assert "inside the source" in attack(out=ct / "new", model="nowhere.pt2").one_sentence()


def test_goal_that_is_met_already(attack: Medadv) -> None:
    assert "met by the clean series already" in attack(conceal=None, fabricate="nodule").one_sentence()


@pytest.mark.parametrize("slices", ["9:12", "3:1", "a:b", "-1", ""])
def test_slices_that_are_not_there(attack: Medadv, slices: str) -> None:
    attack(slices=slices).one_sentence()


def test_region_of_another_shape(attack: Medadv, tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.ones((4, 3, 3)))
    assert "shape" in attack(region=tmp_path / "mask.npy").one_sentence()
    assert "cannot be read" in attack(region=tmp_path / "none.tif").one_sentence()


def test_wrong_settings(attack: Medadv) -> None:
    assert "none of" in attack(attack="magic").one_sentence()
    assert "steps as a whole number" in attack(steps="many").one_sentence()
    assert "no setting 'stepz'" in attack(set="stepz=3").one_sentence()
    assert "NAME=VALUE" in attack(set="steps").one_sentence()


def test_a_damaged_record(medadv: Medadv, attacked: Path, tmp_path: Path) -> None:
    text = (attacked / "record.json").read_text()
    for number, damaged in enumerate(
        [text[:200], "[]", text.replace('"norm"', '"form"'), text.replace("record 1", "record 9")]
    ):
        (tmp_path / f"{number}.json").write_text(damaged)
        medadv("replay", tmp_path / f"{number}.json").one_sentence()
    assert "cannot be read" in medadv("replay", tmp_path / "none.json").one_sentence()


@pytest.mark.parametrize(
    "words",
    [
        ["attack"],
        ["fly"],
        [],
        ["attack", "x", "--out", "y", "--model", "m", "--epsilon", "much", "--confuse"],
        ["attack", "x", "--out", "y", "--model", "m", "--epsilon", "1", "--confuse", "--seed", "9" * 20],
        ["scan"],
    ],
)
def test_wrong_words(medadv: Medadv, words: list[str]) -> None:
    said = medadv(*words)
    assert said.code == 2 and said.err.count("\n") == 1 and not said.out

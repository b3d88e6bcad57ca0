"""Threats that cannot be: each is one sentence with exit code 2 before any work is done, and nothing is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.catalogue import entry, names
from napari_medadv.cli.settings_options import HOME
from napari_medadv.model import load_classifier
from napari_medadv.settings import fields
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write

SPENDING = [
    ("boundary", 29),
    ("few_pixel", 3),
    ("hop_skip_jump", 31),
    ("nes", 2),
    ("simba", 2),
    ("sparse_rs", 1),
    ("square", 1),
    ("surfree", 29),
]


def test_every_attack_that_asks_is_listed() -> None:
    asking = {name for name in names(HOME) if "queries" in fields(entry(name, HOME))}
    assert asking == {name for name, _ in SPENDING} | {"auto_attack"}


@pytest.mark.parametrize(("name", "queries"), SPENDING)
def test_too_few_queries_to_start(attack: Medadv, tmp_path: Path, name: str, queries: int) -> None:
    sentence = attack(path=tmp_path / "unread", attack=name, queries=queries).one_sentence()
    assert "quer" in sentence and str(queries) in sentence, "before the series is looked for"


@pytest.mark.parametrize("epsilon", ["0", "-3", "inf", "nan"])
@pytest.mark.parametrize("measure", ["native", "percent", "grey", "jnd"])
def test_no_budget_in_any_measure(attack: Medadv, tmp_path: Path, epsilon: str, measure: str) -> None:
    sentence = attack(path=tmp_path / "unread", epsilon=epsilon, measure=measure).one_sentence()
    assert "A budget of" in sentence, "before the series is looked for"


def test_measures_that_say_nothing(attack: Medadv, tmp_path: Path) -> None:
    nowhere = tmp_path / "unread"
    assert "decibel" in attack(path=nowhere, epsilon="inf", measure="psnr").one_sentence()
    assert "L1 is measured as it is" in attack(path=nowhere, norm="l1", measure="percent").one_sentence()
    assert "L0 is measured as it is" in attack(path=nowhere, norm="l0", measure="psnr").one_sentence()
    assert "at least 1" in attack(path=nowhere, norm="l0", epsilon=0.5).one_sentence()
    assert "below one grey level" in attack(measure="percent", epsilon=0.05).one_sentence()


def test_goals_that_do_not_go_together(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    def said(*words: object) -> str:
        return medadv(
            "attack", tmp_path / "unread", "--model", model, "--epsilon", 8, "--out", tmp_path / "o", *words
        ).one_sentence()

    assert "--others-stay was given without a finding" in said("--confuse", "--others-stay")
    assert "--confidence was given without a finding" in said("--swap", "a", "b", "--confidence", 0.5)
    assert "choose one" in said("--conceal", "nodule", "--others-stay", "--confidence", 0.5)
    assert "cannot be reached" in said("--conceal", "nodule", "--confidence", 1.5)
    assert "not allowed with" in said("--conceal", "nodule", "--swap", "a", "b")


def test_goals_that_the_classifier_cannot_be_asked(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    words = ["attack", ct, "--model", model, "--epsilon", 8, "--out", tmp_path / "o"]
    assert "choose conceal or fabricate" in medadv(*words, "--conceal", "nodule", "--others-stay").one_sentence()
    assert "no label 'mass'" in medadv(*words, "--swap", "nodule", "mass").one_sentence()
    assert "with itself" in medadv(*words, "--swap", "nodule", "nodule").one_sentence()
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--conceal", "lower"],
        ["--fabricate", "upper"],
        ["--conceal", "lower", "--others-stay"],
        ["--swap", "lower", "upper"],
        ["--conceal", "upper", "--confidence", "0.99"],
        ["--fabricate", "lower", "--confidence", "0.01"],
    ],
)
def test_a_label_that_is_as_wished(medadv: Medadv, ct: Path, halves: Path, tmp_path: Path, words: list[str]) -> None:
    said = medadv("attack", ct, "--model", halves, "--epsilon", 8, "--out", tmp_path / "o", *words)
    assert "met by the clean series already" in said.one_sentence() and not (tmp_path / "o").exists()


def test_an_empty_region(attack: Medadv, tmp_path: Path) -> None:
    mask = np.zeros((4, 16, 12))
    np.save(tmp_path / "mask.npy", mask)
    assert "holds no voxel" in attack(region=tmp_path / "mask.npy").one_sentence()
    mask[3] = 1
    np.save(tmp_path / "mask.npy", mask)
    assert "holds no voxel" in attack(region=tmp_path / "mask.npy", slices="0:2").one_sentence()


def test_a_region_of_padding_alone(attack: Medadv, ct: Path, tmp_path: Path) -> None:
    for index in range(4):
        voxels = np.full((16, 12), 834, np.int16)
        voxels[:4] = -2000
        write(dataset("CT", index, voxels=voxels, PixelPaddingValue=-2000), ct / f"{index}.dcm")
    mask = np.zeros((4, 16, 12))
    mask[:, :4] = 1
    np.save(tmp_path / "mask.npy", mask)
    assert "nothing but padding" in attack(region=tmp_path / "mask.npy").one_sentence()


def test_gradients_of_a_classifier_that_only_answers(
    attack: Medadv, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_classifier(model)
    monkeypatch.setattr("napari_medadv.model.load_classifier", lambda *_, **__: replace(loaded, white_box=False))
    monkeypatch.setattr("napari_medadv.dicom.decode", lambda *_, **__: pytest.fail("the series was read"))
    assert "only answers queries" in attack(attack="pgd").one_sentence()


def test_a_region_from_a_dicom_file_does_not_take_another_series_of_its_folder(
    attack: Medadv, ct: Path, tmp_path: Path
) -> None:
    """The image reader would read all files around it and hand out one series of them, of the right shape by chance."""
    for option in ("region", "avoid"):
        sentence = attack(**{option: next(ct.iterdir())}).one_sentence()
        assert ".npy" in sentence and ".tif" in sentence
    beside = tmp_path / "mask.nii"
    beside.write_bytes(b"anything")
    assert "mask.nii" in attack(region=beside).one_sentence()

"""Finlayson's experiment runs as one command, on images where what each attack must do is known."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_medadv import load_classifier

from .dicom.making import dataset, write

FOLDER = Path(__file__).parent.parent / "docs" / "examples" / "finlayson"
MODULES = ("experiment", "figures", "images", "recipe", "shifted", "stacks", "train", "trials", "turned")
SIDE = 24


class Brightness(nn.Module):
    """Bright pictures are "sick", dark ones "healthy"; the victim and its stand-in weigh the pixels a little differently."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        uneven = 0.3 * torch.randn((SIDE, SIDE), generator=torch.Generator().manual_seed(seed))
        self.weight = nn.Parameter((1 + uneven) / SIDE**2)

    def forward(self, presentation: Tensor) -> Tensor:
        bright = 255 * ((presentation[:, 0] - 105 / 255) * self.weight).sum(dim=(1, 2))
        return torch.stack([-2 * bright, 2 * bright], dim=1)


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("experiment")
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six pictures of each label to train on and ten to test, one level away from the boundary."""
    rng, lines = np.random.default_rng(0), ["file,label,split"]
    for label, level in (("healthy", 104), ("sick", 106)):
        for count in range(16):
            grain = rng.integers(-20, 21, (SIDE, SIDE))
            voxels = np.rint(level + grain - grain.mean()).astype(np.uint8)
            file = f"pictures/{label}_{count}.dcm"
            write(dataset("CR", count, voxels=voxels, SeriesInstanceUID=f"1.2.{level}.{count}"), tmp_path / file)
            lines.append(f"{file},{label},{'train' if count < 6 else 'test'}")
    found = tmp_path / "pictures.csv"
    found.write_text("\n".join(lines) + "\n")
    return found


def test_the_table_of_the_experiment(
    experiment: Any, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, train, trials = (sys.modules[name] for name in ("images", "train", "trials"))
    asked: list[int] = []

    def quick(table: Path, out: Path, seed: int, network: str, recipe: str, *, steps: int) -> None:
        asked.append(seed)
        out.mkdir(parents=True)
        train.export(Brightness(seed), 1, out / "model.pt2")
        card = train.CARD.format(name="pictures", network="brightness", labels='"healthy", "sick"').replace(
            "224", str(SIDE)
        )
        (out / "model.toml").write_text(card)

    monkeypatch.setattr(images, "SIZE", SIDE)
    monkeypatch.setattr(experiment, "train", quick)
    monkeypatch.setattr(trials, "PATCH", dataclasses.replace(trials.PATCH, steps=30, pixels=8))
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["experiment.py", str(table), str(out), "--arithmetic", "float32"])
    experiment.main()
    made = (out / "pictures_7.md").read_text()
    rows = {line.split("|")[1].strip(): line for line in made.splitlines()[2:]}
    accuracy = {name: float(line.split("|")[2].split("(")[0]) for name, line in rows.items()}
    assert tuple(rows) == trials.TRIALS and asked == [7, 8]
    assert accuracy["clean"] == accuracy["random noise, same size"] == 100 and accuracy["natural patch"] >= 90
    assert all(accuracy[name] == 0 for name in trials.TRIALS if name.startswith(("PGD", "APGD", "adversarial")))
    assert "92.05 / 0.5386" in rows["natural patch"] and "20 test images" in made
    assert made in capsys.readouterr().out

    def refuse(*given: object) -> None:
        raise AssertionError("what the ledger holds was done again")

    monkeypatch.setattr(experiment, "judged", refuse)
    experiment.main()
    assert (out / "pictures_7.md").read_text() == made and asked == [7, 8]


@pytest.mark.parametrize(
    ("network", "recipe"), [("resnet50", "shifted"), ("densenet121", "shifted"), ("densenet121", "turned")]
)
def test_a_network_is_trained_and_trained_again(
    experiment: Any, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, recipe: str
) -> None:
    size, train = 64, sys.modules["train"]
    for name in ("images", "shifted", "turned"):
        monkeypatch.setattr(sys.modules[name], "SIZE", size)
    for name in ("recipe", "shifted", "turned"):
        monkeypatch.setattr(sys.modules[name], "BATCH", 6)
    monkeypatch.setattr(sys.modules["turned"], "STAGES", ((32, 1), (size, 1)))
    for out in (tmp_path / "one", tmp_path / "two"):
        train.train(table, out, 3, network, recipe, steps=4)
    first, again = (torch.export.load(tmp_path / name / "model.pt2").state_dict for name in ("one", "two"))
    assert all(torch.equal(first[name], again[name]) for name in first)
    found = load_classifier(tmp_path / "one" / "model.pt2")
    assert found.findings.labels == ("healthy", "sick") and found.white_box and network in found.name


def test_the_figures(experiment: Any) -> None:
    figures = sys.modules["figures"]
    truth = np.array([False, False, True, True])
    assert figures.area(np.array([0.1, 0.4, 0.4, 0.9]), truth) == pytest.approx(0.875)
    assert figures.auroc(np.array([0.1, 0.2, 0.8, 0.9]), truth).low == 1
    third = figures.mean(np.array([0.9, 1.0, 0.8]))
    assert third.figure == pytest.approx(0.9) and third.high - 0.9 == pytest.approx(
        4.302653 * 0.1 / np.sqrt(3), rel=1e-5
    )
    half = figures.share(np.array([True, False] * 50))
    assert (half.low, half.high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))

import json
from pathlib import Path

import pytest

import napari_medadv.samples as samples
from napari_medadv.errors import MissingExtra
from napari_medadv.samples import Sample
from tests.cli.conftest import Medadv


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, ct: Path, model: Path) -> None:
    """One small sample, one that is not installed, and no screen."""

    def missing(folder: Path) -> Path:
        raise MissingExtra("pydicom-data", "samples", "The sample radiograph")

    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(samples, "sample_data", lambda: model.parent)
    kept = Sample("small", lambda folder: ct, model.name, "nodule", 16.0)
    monkeypatch.setattr(samples, "SAMPLES", (Sample("none", missing, model.name, "nodule", 16.0), kept))


@pytest.mark.usefixtures("small")
def test_demo_attacks_every_sample_that_is_there(medadv: Medadv, tmp_path: Path) -> None:
    said = medadv("demo", "--out", tmp_path / "demo", "--json")
    found = json.loads(said.out)
    assert said.code == 0 and found["samples"]["small"]["read_back"]["reached"]
    assert "pip install" in found["left_out"]["none"]
    assert (tmp_path / "demo" / "small" / "attacked" / "panel.png").exists()


@pytest.mark.usefixtures("small")
def test_a_second_demo_overwrites_nothing(medadv: Medadv, tmp_path: Path) -> None:
    for name in ("demo", "demo_2"):
        assert medadv("demo", "--out", tmp_path / "demo").code == 0
        assert (tmp_path / name / "small").is_dir()


@pytest.mark.usefixtures("small")
def test_a_demo_without_a_screen_says_that_nothing_is_shown(medadv: Medadv, tmp_path: Path) -> None:
    assert "not shown: there is no display" in medadv("demo", "--out", tmp_path / "demo").out


def test_view_needs_a_screen_and_a_path_that_is_there(
    medadv: Medadv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "no display" in medadv("view").one_sentence()
    assert "does not exist" in medadv("view", tmp_path / "nowhere").one_sentence()

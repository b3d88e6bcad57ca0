"""A small CT in a folder, a classifier that sees a bright spot in it, and a window with our docks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.widgets.commands import register
from napari_medadv.widgets.stage import stage_of
from tests.dicom.making import dataset, write

SLICES = 6


@pytest.fixture
def ct_folder(tmp_path: Path) -> Path:
    """Six slices of 32 x 32 with a spot of 100 HU in slices 2 and 3."""
    rng = np.random.default_rng(0)
    for index in range(SLICES):
        values = rng.integers(140, 180, (32, 32))
        if index in (2, 3):
            values[10:16, 12:18] = 1124
        write(dataset("CT", index, voxels=values.astype(np.int16)), tmp_path / "ct" / f"{index}.dcm")
    return tmp_path / "ct"


@pytest.fixture
def loaded(ct_folder: Path) -> Loaded:
    (series,) = scan(ct_folder)
    return Loaded(decode(series), series)


@pytest.fixture
def classifier() -> Classifier:
    """Says nodule where the spot is bright, and is quite sure of it only just so."""

    def network(values: torch.Tensor) -> torch.Tensor:
        spot = values[:, :, 10:16, 12:18].mean(dim=(1, 2, 3))
        return torch.stack([(spot - 95) / 5, torch.full_like(spot, -2.0)], dim=1)

    return Classifier(network, Findings(("nodule", "effusion"), "sigmoid"), "HU", name="spot")


@pytest.fixture
def slow(classifier: Classifier) -> Classifier:
    """The same, but no attack gets past it, and each answer takes its time."""

    def network(values: torch.Tensor) -> torch.Tensor:
        time.sleep(0.02)
        return classifier.network(values) + 100

    return Classifier(network, classifier.findings, "HU", name="slow")


@pytest.fixture(scope="session", autouse=True)
def registered() -> None:
    """The plug-in as napari knows it, installed or not."""
    register()


@pytest.fixture
def viewer(make_napari_viewer_proxy: Any) -> Any:
    found = make_napari_viewer_proxy()
    yield found
    work = stage_of(found).work
    work.close()
    assert work.wait(20)


@pytest.fixture
def until(qtbot: Any) -> Callable[..., None]:
    """Let the window live until something holds."""

    def wait(condition: Callable[[], Any], seconds: float = 120.0) -> None:
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < seconds, "it did not happen in time"
            qtbot.wait(10)

    return wait

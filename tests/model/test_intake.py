"""Intake: lookup tables and windows of the file on the way to the classifier, differentiable, and attacked through."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.errors import ModelError
from napari_medadv.model import Classifier
from napari_medadv.model.intake import Unit
from napari_medadv.prediction import Findings
from napari_medadv.table import Table
from napari_medadv.threat import Conceal, Linf, Threat
from napari_medadv.volume import Scale, Volume, Window

ENTRIES = np.linspace(0, 1, 4096) ** 2 * 4000 - 1000


def volume(window: Window | None = None, *, unit: str = "HU", photometric: str = "MONOCHROME2") -> Volume:
    stored = np.random.default_rng(0).integers(1900, 2100, (2, 8, 9)).astype(np.uint16)
    scale = Scale("stored value", 0, 4095, table=Table(0, ENTRIES, unit))
    windows = () if window is None or scale.table is None else (window.through(scale.table),)
    return Volume(stored, np.eye(4), scale, windows, photometric=photometric)


def classifier(unit: Unit, weight: float = 1.0, bias: float = 0.0) -> Classifier:
    def network(values: Tensor) -> Tensor:
        return values.mean(dim=(1, 2, 3))[:, None] * weight + bias

    return Classifier(network, Findings(("a",), "sigmoid"), unit)


def received(unit: Unit, source: Volume) -> Tensor:
    reads = classifier(unit)
    return reads.intake(source)(reads.tensor(source))[:, 0, 0]


def test_a_classifier_in_hu_reads_the_entries_of_the_table() -> None:
    source = volume()
    assert np.allclose(received("HU", source), ENTRIES[source.voxels], atol=1e-2)
    assert np.allclose(received("stored value", source), source.voxels)
    with pytest.raises(ModelError, match="holds OD"):
        received("HU", volume(unit="OD"))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_display_unit_goes_through_table_and_window(photometric: str) -> None:
    window = Window(0, 800, "SIGMOID")
    source = volume(window, photometric=photometric)
    expected = window.grey(ENTRIES[source.voxels])
    expected = 1 - expected if photometric == "MONOCHROME1" else expected
    assert np.allclose(received("presentation value", source), expected, atol=1e-5)
    assert np.allclose(received("level", source), 255 * expected, atol=1e-2)


@pytest.mark.parametrize("unit", ["HU", "presentation value"])
def test_an_attack_through_a_table_stays_on_the_stored_grid(unit: Unit) -> None:
    source = volume(Window(0, 800))
    clean = float(received(unit, source).mean(dim=(1, 2)).max())
    weight = 1.0 if unit == "HU" else 400.0
    found = perturb(
        classifier(unit, weight, -weight * clean + 2.0), source, Threat(Conceal("a"), Linf(8)), PGD(steps=25)
    )
    change = found.adversarial.voxels.astype(int) - source.voxels
    assert found.reached and np.abs(change).max() <= 8 and change.min() < 0
    assert found.adversarial.scale.table is source.scale.table


def test_a_gradient_passes() -> None:
    reads = classifier("presentation value")
    source = volume(Window(0, 800))
    values = reads.tensor(source).requires_grad_(True)
    (gradient,) = torch.autograd.grad(reads.logits(values, reads.intake(source)).sum(), values)
    slope = np.gradient(ENTRIES)[source.voxels] / 799 / 72
    inside = (ENTRIES[source.voxels] > -350) & (ENTRIES[source.voxels] < 350)
    assert inside.any() and np.allclose(gradient[:, 0, 0].numpy()[inside], slope[inside], rtol=0.01)

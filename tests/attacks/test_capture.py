"""Attacks at the moment of capture survive another acquisition, and their raw data make the images that they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks.bias_field import BiasField
from napari_medadv.attacks.gain_gamma import GainGamma
from napari_medadv.attacks.kspace import KSpace
from napari_medadv.attacks.projector import Projector
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.sinogram import Sinogram
from napari_medadv.attacks.survival import survival
from napari_medadv.errors import AttackError
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L2, Budget, Conceal, Linf, Threat
from napari_medadv.volume import Scale, Volume

Capture = BiasField | GainGamma | KSpace | Sinogram


def case() -> tuple[Classifier, Volume]:
    """Two slices with a bright blob over a ramp, a strip of padding at the left; a classifier that weighs the blob's place."""
    rows, columns = np.mgrid[:24, :32]
    blob = 60 * np.exp(-((rows - 12) ** 2 + (columns - 20) ** 2) / 18)
    noise = np.random.default_rng(0).normal(0, 3, (2, 24, 32))
    voxels = np.rint(1000 + columns + blob + noise).astype(np.uint16)
    voxels[:, :, :2] = 0
    weight = torch.from_numpy(
        np.where(columns > 1, np.exp(-((rows - 12) ** 2 + (columns - 20) ** 2) / 30) - 0.1, 0)
    ).float()
    volume = Volume(voxels, np.diag([3.0, 1.0, 1.0, 1.0]), Scale("stored value", 0, 4095, padding=(0, 0)))
    bias = 3.0 - 0.01 * (torch.from_numpy(volume.values()[0]) * weight).sum()

    def network(values: Tensor) -> Tensor:
        return 0.01 * (values[:, 0] * weight).sum(dim=(1, 2))[:, None] + bias

    return Classifier(network, Findings(("a",), "sigmoid"), "stored value"), volume


SETTINGS: dict[str, Any] = {"noise": 0.03, "motion": 0.5, "degrees": 1.0, "rewindow": 0.02, "rounding": 4.0}
RETAKE = Retake(**SETTINGS)


@pytest.mark.parametrize(
    ("attack", "budget"),
    [
        (BiasField(step=0.03), Linf(60)),
        (GainGamma(step=0.03), Linf(150)),
        (KSpace(), L2(600)),
        (Sinogram(views=24, step=0.1), L2(600)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_expectation_over_acquisitions_makes_it_survive_them(attack: Capture, budget: Budget) -> None:
    classifier, volume = case()
    threat = Threat(Conceal("a"), budget)
    shares = []
    for draws in (0, 8):
        found = perturb(classifier, volume, threat, replace(attack, draws=draws, confidence=0.2, **SETTINGS))
        assert found.reached
        shares.append(survival(classifier, found, RETAKE, times=40).share)
    assert shares[1] >= 0.8 and shares[1] > shares[0] + 0.1, shares


def test_another_acquisition_moves_the_patient_and_leaves_padding_and_gradients() -> None:
    from napari_medadv.attacks.perturb import task_of

    classifier, volume = case()
    threat = Threat(Conceal("a"), Linf(10))
    rng = torch.Generator().manual_seed(0)
    task, _ = task_of(
        classifier, volume, threat, classifier.predict(volume), np.arange(2), rng, lambda share, words: None
    )
    values = task.clean.clone().requires_grad_(True)
    taken = RETAKE(task, values)
    (gradient,) = torch.autograd.grad(taken.sum(), values)
    assert bool((taken[..., :2] == 0).all()) and bool((taken[..., 2:] != values[..., 2:]).float().mean() > 0.9)
    assert float((gradient[..., 2:] - 1).abs().max()) < 0.05
    still = Retake(0, 0, 0, 0, 0)
    assert torch.equal(still(task, values), values)
    with pytest.raises(AttackError, match="rewindow"):
        Retake(rewindow=1.0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 1.0)])
def test_what_is_projected_is_reconstructed(spacing: tuple[float, float]) -> None:
    rows, columns = torch.meshgrid(torch.arange(40.0) - 19.5, torch.arange(64.0) - 31.5, indexing="ij")
    disc = 100.0 * ((rows * spacing[0]) ** 2 + (columns * spacing[1]) ** 2 < 15**2)
    scanner = Projector((40, 64), spacing, 60)
    sinogram = scanner.project(disc[None])
    assert sinogram.sum(dim=-1).tolist()[0] == pytest.approx(
        [float(disc.sum()) * spacing[0] * spacing[1]] * 60, rel=1e-4
    )
    again = scanner.reconstruct(sinogram)[0]
    assert float(again[disc > 0].mean()) == pytest.approx(100, rel=0.05)
    assert float(again[disc == 0].abs().mean()) < 5


def test_the_change_is_what_k_space_of_its_band_can_make() -> None:
    classifier, volume = case()
    volume = replace(volume, scale=replace(volume.scale, padding=None), voxels=np.maximum(volume.voxels, 900))
    found = perturb(classifier, volume, Threat(Conceal("a"), L2(2000)), KSpace(band=0.25, draws=0, confidence=5.0))
    change = found.adversarial.values() - volume.values()
    power = np.abs(np.fft.fft2(change)) ** 2
    high = (np.abs(np.fft.fftfreq(24))[:, None] > 0.14) | (np.abs(np.fft.fftfreq(32)) > 0.14)
    assert found.reached and power[:, high].sum() < 0.1 * power.sum()

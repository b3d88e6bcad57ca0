"""Noise as a control is as large as the budget allows, in a small region, too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_medadv.attacks import perturb
from napari_medadv.attacks.noise import Noise
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L0, L1, L2, Budget, Conceal, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume


@pytest.mark.parametrize("kind", ["sign", "uniform"])
@pytest.mark.parametrize("budget", [Linf(8), L2(60), L1(500), L0(8)])
def test_a_small_region_takes_the_whole_budget(budget: Budget, kind: str) -> None:
    voxels = np.random.default_rng(0).integers(1000, 1200, (2, 64, 64)).astype(np.uint16)
    volume = Volume(voxels, np.eye(4), Scale("stored value", 0, 4095))
    victim = Classifier(lambda values: torch.ones(len(values), 1), Findings(("a",), "sigmoid"), "stored value")
    mask = np.zeros(voxels.shape, bool)
    mask[:, 10:16, 10:16] = True
    found = perturb(victim, volume, Threat(Conceal("a"), budget, Region(mask)), Noise(kind=kind))  # type: ignore[arg-type]
    change = found.adversarial.values().astype(float) - volume.values()
    assert not change[~mask].any()
    for one in change:
        size = {
            "Linf": np.abs(one).max(),
            "L2": np.sqrt((one**2).sum()),
            "L1": np.abs(one).sum(),
            "L0": np.count_nonzero(one),
        }[budget.norm]
        assert 0.8 * budget.epsilon <= size <= budget.epsilon

import numpy as np
import torch

from napari_medadv.attacks import perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import Conceal, Linf, Threat
from napari_medadv.volume import Scale, Volume


def linear_case() -> tuple[Classifier, Volume, torch.Tensor]:
    rng = np.random.default_rng(0)
    voxels = rng.integers(1000, 1100, (2, 8, 8)).astype(np.int16)
    volume = Volume(voxels, np.eye(4), Scale("HU", -2048, 4095, intercept=np.array([-1024.0])))
    weight = torch.from_numpy(rng.standard_normal(64).astype(np.float32))
    clean = torch.from_numpy(volume.values().reshape(2, -1))
    bias = 3.0 - (clean @ weight)

    def network(values: torch.Tensor) -> torch.Tensor:
        return (values.flatten(1) @ weight + bias[: len(values)])[:, None]

    return Classifier(network, Findings(("nodule",), "sigmoid"), "HU"), volume, weight


def test_pgd_reaches_the_closed_form_worst_case_of_a_linear_classifier() -> None:
    classifier, volume, weight = linear_case()
    found = perturb(classifier, volume, Threat(Conceal("nodule"), Linf(4)), PGD(confidence=float("inf")))
    change = found.adversarial.values() - volume.values()
    reached = torch.from_numpy(change.reshape(2, -1)) @ weight
    assert torch.allclose(reached, -4 * weight.abs().sum().expand(2), rtol=1e-4)
    assert found.reached and np.abs(change).max() == 4


def test_noise_is_within_the_budget_and_seeded() -> None:
    classifier, volume, _ = linear_case()
    threat = Threat(Conceal("nodule"), Linf(2.5))
    runs = [perturb(classifier, volume, threat, Noise(), seed=seed).adversarial.voxels for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])
    assert np.abs(runs[0].astype(int) - volume.voxels).max() == 2


def test_fgsm_stores_whole_levels() -> None:
    classifier, volume, _ = linear_case()
    found = perturb(classifier, volume, Threat(Conceal("nodule"), Linf(8)), FGSM())
    assert set(np.unique(np.abs(found.adversarial.voxels.astype(int) - volume.voxels))) == {8}

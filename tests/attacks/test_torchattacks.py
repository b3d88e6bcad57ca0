"""FGSM and PGD against a recorded run of torchattacks (reference/make.py) on a toy network in the range 0 to 1."""

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.pgd import PGD
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L2, Budget, Conceal, Linf, Threat
from napari_medadv.volume import Scale, Volume
from tests.attacks.reference.toy import Toy

LABELS = ("one", "two", "three")
GRID = 2.0**-20
DRIVEN = float("inf")


@pytest.mark.parametrize(
    ("name", "budget", "attack"),
    [
        ("fgsm", Linf(8 / 255), FGSM()),
        ("pgd", Linf(8 / 255), PGD(steps=7, step=1 / 8, start="clean", confidence=DRIVEN)),
        ("pgd_l2", L2(0.5), PGD(steps=3, step=1 / 4, start="clean", confidence=DRIVEN)),
    ],
)
def test_the_same_as_torchattacks(name: str, budget: Budget, attack: Attack) -> None:
    with np.load(Path(__file__).parent / "reference" / "torchattacks.npz") as record:
        toy = Toy()
        toy.load_state_dict({key[7:]: torch.from_numpy(record[key]) for key in record if key.startswith("weight_")})
        classifier = Classifier(toy.requires_grad_(False).eval(), Findings(LABELS, "softmax"), "HU")
        scale = Scale("HU", 0, 2**20, slope=np.array([GRID]))
        for image, label, expected in zip(record["images"], record["labels"], record[name], strict=True):
            volume = Volume(np.rint(image / GRID).astype(np.int32), np.eye(4), scale)
            found = perturb(classifier, volume, Threat(Conceal(LABELS[label]), budget), attack)
            assert np.abs(found.adversarial.values() - expected).max() < 1e-5
            assert np.abs(found.adversarial.values() - image).max() > 0.01

"""What stands beside a result that could be misread, and things of another kind than a function takes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv import Conceal, Linf, MedAdvError, Region, Threat, decode, load_classifier, perturb, scan
from napari_medadv.attacks.cw import CW
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.pgd import PGD
from tests.cli.conftest import ct, model

__all__ = ["ct", "model"]
THREAT = Threat(Conceal("nodule"), Linf(16))


def test_an_attack_that_is_made_for_another_budget_says_so_where_it_fails(ct: Path, model: Path) -> None:
    volume, classifier = decode(scan(ct)[0]), load_classifier(model)
    weak = Threat(Conceal("nodule"), Linf(1))
    (fact,) = perturb(classifier, volume, weak, CW(rounds=1, steps=2)).facts
    assert "L2" in fact and "Linf" in fact
    assert not perturb(classifier, volume, weak, PGD(steps=2)).facts


def test_a_goal_reached_in_some_slices_does_not_pass_for_the_series(ct: Path, model: Path) -> None:
    volume, classifier = decode(scan(ct)[0]), load_classifier(model)
    found = perturb(classifier, volume, replace(THREAT, region=Region(slices=(1,))), FGSM())
    assert found.reached and "nodule" in found.after.present
    assert "1 of 4 slices" in found.facts[0] and "still says nodule" in found.facts[0]
    assert not perturb(classifier, volume, THREAT, FGSM()).facts


def test_a_region_of_labels_is_one_of_all_that_are_not_zero(ct: Path, model: Path) -> None:
    volume, classifier = decode(scan(ct)[0]), load_classifier(model)
    labels: Any = np.zeros(volume.shape, np.uint8)
    labels[:, :, ::2] = 2
    found = perturb(classifier, volume, replace(THREAT, region=Region(labels)), FGSM())
    assert not (found.adversarial.voxels != volume.voxels)[:, :, 1::2].any()


def test_another_kind_of_thing_is_a_sentence(ct: Path, model: Path) -> None:
    scanned, classifier = scan(ct), load_classifier(model)
    volume: Any = decode(scanned[0])
    any_: Any = scanned
    wrong = [
        lambda: decode(any_),
        lambda: classifier.predict(volume.voxels),
        lambda: Threat("nodule", Linf(8)),  # type: ignore[arg-type]
        lambda: Threat(Conceal("nodule"), any_),
        lambda: Threat(Conceal("nodule"), Linf(8), volume.voxels),
        lambda: Linf("8"),  # type: ignore[arg-type]
        lambda: perturb(classifier, volume.voxels, THREAT, FGSM()),
        lambda: perturb(volume, volume, THREAT, FGSM()),
        lambda: perturb(classifier, volume, any_, FGSM()),
        lambda: perturb(classifier, volume, THREAT, FGSM),  # type: ignore[arg-type]
        lambda: perturb(classifier, volume, THREAT, "fgsm"),  # type: ignore[arg-type]
        lambda: perturb(classifier, volume, THREAT, PGD(loss="nope")),  # type: ignore[arg-type]
        lambda: perturb(classifier, volume, THREAT, FGSM(), seed=1.5),  # type: ignore[arg-type]
        lambda: perturb(classifier, volume, THREAT, FGSM(), seed=-1),
        lambda: scan(None),  # type: ignore[arg-type]
    ]
    for one in wrong:
        with pytest.raises(MedAdvError, match=r"expected|correct that value"):
            one()  # type: ignore[no-untyped-call]

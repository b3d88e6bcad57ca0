"""Private and foreign attacks that fail, and inputs of `fool` that do not fit: a sentence each, and nothing stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import fool
from napari_medadv.attacks.task import Task
from napari_medadv.catalogue import entry
from napari_medadv.errors import AttackError, MedAdvError, ThreatError
from napari_medadv.settings import make
from napari_medadv.threat import L0, Linf, Threat
from napari_medadv.threat.amount import Amount
from tests.contracts.toys import toy


@dataclass(frozen=True)
class Private:
    gives: Any = None

    def __call__(self, task: Task) -> Tensor:
        if self.gives == "nothing":
            return None  # type: ignore[return-value]
        if self.gives == "another shape":
            return task.clean[:, :, :, :2]
        if self.gives == "NaN":
            return task.clean * torch.nan
        if self.gives == "the clean values, changed in place":
            return task.clean.add_(8)
        raise RuntimeError("a fault of its own")


@pytest.mark.parametrize("gives", ["nothing", "another shape", "NaN", "an error", "the clean values, changed in place"])
def test_what_a_private_attack_may_do_wrong(gives: str) -> None:
    small = toy("one logit")
    with pytest.raises(AttackError, match=r"Private (gave back|failed|changed the clean)"):
        perturb(small.classifier, small.volume, Threat(small.goal, Linf(8)), Private(gives))


@pytest.mark.parametrize(
    ("name", "setting"), [("patch", "largest"), ("low_frequency", "sigma"), ("surfree", "smoothness"), ("pgd", "step")]
)
def test_an_endless_setting_is_refused(name: str, setting: str) -> None:
    small = toy("one logit")
    attack = make(entry(name, "napari_medadv.attacks"), {setting: "inf"})
    with pytest.raises(AttackError, match=rf"{setting} as a finite number"):
        perturb(small.classifier, small.volume, Threat(small.goal, Linf(8)), attack)
    assert small.network.seen == 0


@pytest.mark.parametrize(
    ("name", "setting"), [("patch", "pixels=0"), ("bias_field", "points=0"), ("di_fgsm", "smallest=1.5")]
)
def test_a_setting_that_makes_no_picture_is_refused(name: str, setting: str) -> None:
    given, _, value = setting.partition("=")
    with pytest.raises(AttackError):
        make(entry(name, "napari_medadv.attacks"), {given: value})


def test_a_count_of_voxels_is_whole() -> None:
    with pytest.raises(ThreatError, match="whole number"):
        L0(2.5)
    with pytest.raises(ThreatError, match="whole number"):
        Amount(2.5).fits("L0")


def network(inputs: Tensor) -> Tensor:
    mean = inputs.flatten(1).mean(1)
    return torch.stack([10 * (mean - 0.4), 10 * (0.6 - mean), 10 * (mean - 0.55)], 1)


def test_several_labels_that_are_wished_all_come() -> None:
    inputs = torch.full((1, 1, 4, 4), 0.35)
    wished = torch.tensor([[True, True, False]])
    found = fool(network, inputs, wished, PGD(20, arithmetic="float32"), Linf(0.2), targeted=True)
    assert (network(found) > 0).tolist() == wished.tolist()
    absent = fool(lambda x: network(x)[:, :1], inputs + 0.07, torch.tensor([[False]]), PGD(), Linf(0.2), targeted=True)
    assert float(network(absent)[0, 0]) < 0


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        (torch.tensor([3]), {}),
        (torch.tensor([-1]), {}),
        (torch.tensor([0.0]), {}),
        (torch.tensor([[0, 1]]), {}),
        (torch.tensor([True]), {}),
        (torch.tensor([[True, False]]), {}),
        (torch.tensor([0]), {"levels": 1}),
    ],
)
def test_inputs_that_do_not_fit_are_a_sentence(labels: Tensor, more: dict[str, Any]) -> None:
    with pytest.raises(MedAdvError, match="give"):
        fool(network, torch.full((1, 1, 4, 4), 0.9975), labels, PGD(), Linf(0.1), **more)


def test_values_beside_the_levels_stay_within_the_bounds() -> None:
    inputs = torch.full((1, 1, 4, 4), 0.9975)
    found = fool(lambda x: -network(x), inputs, torch.tensor([1]), PGD(5, arithmetic="float32"), Linf(0.1), levels=256)
    assert float(found.amax()) <= 1


def test_any_whole_numbers_are_labels() -> None:
    inputs = torch.full((1, 1, 4, 4), 0.45)
    found = [
        fool(network, inputs, torch.tensor([1], dtype=kind), PGD(), Linf(0.2)) for kind in (torch.int32, torch.int64)
    ]
    assert torch.equal(*found) and int(network(found[0]).argmax()) != 1


def test_colour_is_counted_in_pixels() -> None:
    from napari_medadv.attacks.noise import Noise
    from napari_medadv.measure import distortion

    small = toy("colour")
    found = perturb(small.classifier, small.volume, Threat(small.goal, L0(3)), Noise())
    counted = distortion(found.clean, found.adversarial).changed
    assert (
        counted
        == int((found.clean.voxels != found.adversarial.voxels).any(axis=-1).sum())
        <= 3 * len(small.volume.voxels)
    )
    assert np.any(found.clean.voxels != found.adversarial.voxels)

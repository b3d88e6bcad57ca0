"""Attacks of Foolbox, torchattacks and ART inside our threat: projected, stored and judged like ours. A missing peer is skipped, and said so."""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_medadv.attacks import perturb
from napari_medadv.attacks.foreign import Foreign, Library
from napari_medadv.errors import AttackError, Cancelled, MissingExtra
from tests.contracts.test_attacks import check
from tests.contracts.toys import toy

pytestmark = pytest.mark.filterwarnings("ignore")
"""What the peers do that is deprecated is theirs to mend."""

ATTACKS: tuple[tuple[Library, str, tuple[str, ...]], ...] = (
    ("torchattacks", "PGD", ("steps=10",)),
    ("torchattacks", "MIFGSM", ("steps=10",)),
    ("torchattacks", "APGD", ("steps=10", "loss=ce")),
    ("foolbox", "LinfPGD", ("steps=10",)),
    ("foolbox", "LinfFastGradientAttack", ()),
    ("foolbox", "LinfBasicIterativeAttack", ("steps=10",)),
    ("art", "ProjectedGradientDescentPyTorch", ("max_iter=10", "verbose=false")),
    ("art", "FastGradientMethod", ()),
    ("art", "AutoProjectedGradientDescent", ("max_iter=5", "verbose=false")),
)
CASES = ("two classes", "one logit", "several labels", "four classes", "whole volume", "colour")


def installed(library: Library) -> None:
    """Skip where the peer is not there, naming it."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    try:
        importlib.import_module(library)
    except ImportError as error:
        pytest.skip(f"{library} does not import: {error}")


@pytest.mark.parametrize(("library", "attack", "settings"), ATTACKS, ids=lambda value: str(value))
def test_a_peers_attack_honours_the_threat(library: Library, attack: str, settings: tuple[str, ...]) -> None:
    installed(library)
    reached = []
    for name in CASES:
        made = toy(name)
        found = perturb(made.classifier, made.volume, made.threat("Linf", 3.0), Foreign(library, attack, settings))
        check(found, made)
        entries = 1 if made.classifier.reads == "volume" else len(made.volume.voxels)
        assert made.network.seen == found.queries + 2 * entries, "every query is counted"
        assert found.gradients > 0
        reached.append(found.reached)
    assert sum(reached) >= 5, dict(zip(CASES, reached, strict=True))


@pytest.mark.parametrize(
    ("library", "attack"), [("torchattacks", "PGD"), ("foolbox", "LinfPGD"), ("art", "ProjectedGradientDescentPyTorch")]
)
def test_stop_is_heard_within_a_peers_attack(library: Library, attack: str) -> None:
    installed(library)
    made, told = toy("two classes"), 0

    def stop(share: float, words: str) -> None:
        nonlocal told
        told += 1
        if told > 8:
            made.network.seen = 0
            raise Cancelled

    with pytest.raises(Cancelled):
        perturb(made.classifier, made.volume, made.threat("Linf"), Foreign(library, attack, ()), progress=stop)
    assert made.network.seen == 0


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchattacks", None)
    made = toy("two classes")
    with pytest.raises(MissingExtra, match="torchattacks"):
        perturb(made.classifier, made.volume, made.threat("Linf"), Foreign("torchattacks", "PGD", ()))


@pytest.mark.parametrize("library", ["torchattacks", "foolbox", "art"])
def test_an_attack_that_a_library_has_not_is_one_sentence(library: Library) -> None:
    installed(library)
    made = toy("two classes")
    with pytest.raises(AttackError, match="check the name"):
        perturb(made.classifier, made.volume, made.threat("Linf"), Foreign(library, "Nonsense", ()))


class Stand:
    """An attack of a library of our own making, called as torchattacks' are."""

    def __init__(self, model: nn.Module, eps: float, alpha: float) -> None:
        self.model, self.eps, self.alpha = model, eps, alpha

    def way(self, inputs: Tensor) -> Tensor:
        """The gradient's sign towards the goal."""
        values = inputs.clone().requires_grad_(True)
        (found,) = torch.autograd.grad(self.model(values)[:, 1].sum(), values)
        return found.sign()


class Drawn(Stand):
    def __call__(self, inputs: Tensor, truth: Tensor) -> Tensor:
        drawn = torch.rand(()).item() + np.random.random() + random.random()
        return inputs + self.eps * (drawn / 3) * self.way(inputs)


class Broken(Stand):
    def __call__(self, inputs: Tensor, truth: Tensor) -> Tensor:
        found = inputs + self.eps * self.way(inputs)
        found[..., 0, 0] = torch.nan
        return found[None]


class Nearest(Stand):
    def __call__(self, inputs: Tensor, truth: Tensor) -> Tensor:
        """Values past the decision that rounding takes back."""
        task: Any = self.model.task
        way = self.way(inputs) * torch.linspace(0.1, 1, inputs.numel()).view_as(inputs)
        for share in torch.linspace(0, 1, 501).tolist():
            found = inputs + share * self.eps * way
            past = self.model(found)[0, 1] > 0.002
            if past and task.margin(task.stored(self.model.native(found))) < 0:  # type: ignore[operator]
                return torch.as_tensor(found)
        return inputs


class Far(Stand):
    def __call__(self, inputs: Tensor, truth: Tensor) -> Tensor:
        return torch.as_tensor(importlib.import_module("no_such_package").attack(inputs))


class Blind(Stand):
    def __call__(self, inputs: Tensor, truth: Tensor) -> Tensor:
        return 1 - inputs if self.model(1 - inputs)[0, 1] > 0 else inputs


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = types.ModuleType("torchattacks")
    made.Drawn, made.Broken, made.Nearest, made.Far, made.Blind = Drawn, Broken, Nearest, Far, Blind
    monkeypatch.setitem(sys.modules, "torchattacks", made)


@pytest.mark.usefixtures("library")
def test_what_others_draw_is_of_our_seed_and_theirs_is_untouched() -> None:
    made = toy("two classes")
    of_numpy: Any = np.random.get_state()
    states = torch.get_rng_state(), of_numpy[1], random.getstate()
    runs = [
        perturb(made.classifier, made.volume, made.threat("Linf", 40.0), Foreign(attack="Drawn"), seed=seed)
        for seed in (1, 1, 2)
    ]
    assert (runs[0].adversarial.voxels == runs[1].adversarial.voxels).all() and (
        runs[0].adversarial.voxels != runs[2].adversarial.voxels
    ).any()
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[2]
    after: Any = np.random.get_state()
    assert (after[1] == states[1]).all()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("case", ["two classes", "whole volume", "colour"])
def test_what_is_no_number_stays_as_it_was(case: str) -> None:
    made = toy(case)
    found = perturb(made.classifier, made.volume, made.threat("Linf", 3.0), Foreign(attack="Broken"))
    check(found, made)
    assert any("no numbers" in fact for fact in found.facts) and (found.adversarial.voxels != made.volume.voxels).any()
    assert (found.adversarial.voxels[:, 0, 0] == made.volume.voxels[:, 0, 0]).all()


@pytest.mark.usefixtures("library")
def test_a_change_that_rounding_takes_back_is_made_longer() -> None:
    made = toy("two classes")
    found = perturb(made.classifier, made.volume, made.threat("Linf", 3.0), Foreign(attack="Nearest"))
    check(found, made)
    assert found.reached and any("lost in rounding" in fact for fact in found.facts)


@pytest.mark.usefixtures("library")
def test_a_package_that_an_attack_lacks_is_named() -> None:
    made = toy("two classes")
    with pytest.raises(AttackError, match="needs the package no_such_package"):
        perturb(made.classifier, made.volume, made.threat("Linf"), Foreign(attack="Far"))


@pytest.mark.usefixtures("library")
def test_a_classifier_that_only_answers_is_attacked_by_what_only_asks() -> None:
    made = toy("two classes", white_box=False)
    check(perturb(made.classifier, made.volume, made.threat("Linf"), Foreign(attack="Blind")), made)
    with pytest.raises(AttackError, match="only answers queries"):
        perturb(made.classifier, made.volume, made.threat("Linf"), Foreign(attack="Drawn"))

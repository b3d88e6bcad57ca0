"""Attacks of Foolbox, torchattacks and ART inside our threat: projected, stored and judged like ours. A missing peer is skipped, and said so."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

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

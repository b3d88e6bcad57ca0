"""Every attack of the catalogue honours the threat, the grid, the seed, the count and the person who says stop."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np
import pytest

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.perturb import Perturbation
from napari_medadv.catalogue import entry, names
from napari_medadv.errors import AttackError, Cancelled
from napari_medadv.progress import Progress, silent

from .toys import TOYS, Toy, toy

HOME = "napari_medadv.attacks"
READY = [name for name in names(HOME) if not hasattr(entry(name, HOME), "needs_settings")]
SMOOTH = ("low_frequency", "patch", "bias_field", "gain_gamma")
SLOW = {"patch": {"steps": 40}}
SHORT = {"steps": 12, "queries": 300, "starts": 1, "rounds": 2}


def short(name: str) -> Attack:
    """The attack with settings small enough for a toy; where it has an arithmetic, one that needs no probe, whose answers nobody counts."""
    kind = entry(name, HOME)
    attack = kind()
    less: dict[str, Any] = {
        field.name: SHORT[field.name]
        for field in dataclasses.fields(kind)
        if field.name in SHORT and getattr(attack, field.name) > SHORT[field.name]
    }
    if hasattr(attack, "arithmetic"):
        less["arithmetic"] = "float32"
    found: Attack = dataclasses.replace(attack, **less | SLOW.get(name, {}))
    return found


def run(name: str, case: Toy, norm: str, seed: int = 0, progress: Progress = silent) -> Perturbation:
    return perturb(case.classifier, case.volume, case.threat(norm), short(name), seed=seed, progress=progress)


def check(found: Perturbation, case: Toy) -> None:
    """What every stored result owes the person, whatever the attack."""
    clean, adversarial = case.volume.voxels.astype(np.int64), found.adversarial.voxels.astype(np.int64)
    change = adversarial - clean
    touched = np.zeros(clean.shape, bool)
    touched[list(found.slices)] = True
    if case.region.mask is not None:
        touched &= case.region.mask[..., None] if case.volume.colour else case.region.mask
    touched &= ~case.volume.padding
    assert not change[~touched].any()
    assert adversarial.min() >= case.volume.scale.lowest and adversarial.max() <= case.volume.scale.highest
    assert np.array_equal(found.adversarial.padding, case.volume.padding)
    for entries in [change] if case.classifier.reads == "volume" else change:
        values = np.abs(entries * case.volume.scale.slope[0])
        sizes = {
            "Linf": values.max(),
            "L2": np.sqrt((values**2).sum()),
            "L1": values.sum(),
            "L0": (values.max(axis=-1) if case.volume.colour else values).astype(bool).sum(),
        }
        budget = found.threat.budget
        assert sizes[type(budget).__name__] <= budget.epsilon * (1 + 1e-6)
    assert found.reached == found.threat.goal.reached(found.before, found.after, found.slices)


@pytest.mark.parametrize("case", TOYS)
@pytest.mark.parametrize("name", READY)
def test_every_shape_of_classifier_and_volume(name: str, case: str) -> None:
    made = toy(case)
    kind: Any = entry(name, HOME)
    found = run(name, made, kind.norms[0])
    check(found, made)
    entries = 1 if made.classifier.reads == "volume" else len(made.volume.voxels)
    assert made.network.seen == found.queries + 2 * entries
    assert kind.needs_gradient == (found.gradients > 0)
    allowed = getattr(found.attack, "queries", None)
    assert allowed is None or found.queries <= (allowed + 1) * entries


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1", "L0"])
@pytest.mark.parametrize("name", READY)
def test_every_budget_is_honoured(name: str, norm: str) -> None:
    made = toy("one logit")
    check(run(name, made, norm), made)


@pytest.mark.parametrize("name", READY)
def test_the_goal_is_reached_where_it_can_be(name: str) -> None:
    kind: Any = entry(name, HOME)
    if kind.aim == "control":
        pytest.skip("a control need not succeed")
    for norm in kind.norms:
        made = toy("smooth" if name in SMOOTH else "two classes")
        found = perturb(made.classifier, made.volume, made.threat(norm, 3.0), short(name))
        assert found.reached, (name, norm, found.after.sentence)


@pytest.mark.parametrize("name", READY)
def test_the_seed_alone_decides(name: str) -> None:
    kind: Any = entry(name, HOME)
    first, again = (run(name, toy("four classes"), kind.norms[0], seed=3) for _ in range(2))
    assert np.array_equal(first.adversarial.voxels, again.adversarial.voxels)
    assert (first.queries, first.gradients) == (again.queries, again.gradients)


@pytest.mark.parametrize("name", READY)
def test_progress_rises_and_stop_is_heard_within_one_query(name: str) -> None:
    kind: Any = entry(name, HOME)
    told: list[float] = []
    run(name, toy("four classes"), kind.norms[0], progress=lambda share, words: told.append(share))
    assert np.all(np.diff(told) > -1e-9) and told[-1] == 1.0
    made, calls = toy("four classes"), 0

    def stop(share: float, words: str) -> None:
        nonlocal calls
        calls += 1
        if calls == len(told) // 2:
            made.network.seen = 0
            raise Cancelled

    with pytest.raises(Cancelled):
        run(name, made, kind.norms[0], progress=stop)
    assert made.network.seen == 0


@pytest.mark.parametrize("name", READY)
def test_a_query_only_classifier_is_refused_or_attacked(name: str) -> None:
    kind: Any = entry(name, HOME)
    made = toy("two classes", white_box=False)
    if kind.needs_gradient:
        with pytest.raises(AttackError, match="gradient"):
            run(name, made, kind.norms[0])
        assert made.network.seen == 0
    else:
        check(run(name, made, kind.norms[0]), made)


@pytest.mark.parametrize("name", names(HOME))
def test_what_the_catalogue_tells(name: str) -> None:
    kind: Any = entry(name, HOME)
    assert kind.knowledge in get_args(Knowledge) and kind.aim in get_args(Aim)
    if name != "foreign":  # may be of any kind
        assert kind.needs_gradient == (kind.knowledge == "gradient")
    assert kind.norms and set(kind.norms) <= {"Linf", "L2", "L1", "L0"}
    head = (__import__(kind.__module__, fromlist=["_"]).__doc__ or "").splitlines()[0]
    assert "http" in head or kind.aim == "control", head

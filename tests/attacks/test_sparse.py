"""Few voxels: sigma-zero goes another way than the nearest, and exchanges find fewer voxels within their passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from napari_medadv.attacks.attack import Aim, Attack, Knowledge
from napari_medadv.attacks.closest import Closest
from napari_medadv.attacks.exchange import fewer
from napari_medadv.attacks.plain import fool
from napari_medadv.attacks.sigma_zero import SigmaZero
from napari_medadv.attacks.smallest import Smallest
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import L0

CLEAN = torch.zeros(2, 1, 4, 4)
CLEAN[:, :, 3, 3] = 1
LABELS = torch.zeros(2, dtype=torch.int64)


def detour(values: Tensor) -> Tensor:
    """The nearest label takes twelve voxels, and the farther one the first voxel alone."""
    flat = values.flatten(1)
    near, far = 0.891 + 0.009 * flat[:, 1:].sum(dim=1), 3 * flat[:, 0] - 1
    return torch.stack([torch.ones_like(near), near, far], dim=1)


def pairs(values: Tensor) -> Tensor:
    """Two voxels fool it that are steep together; alone they serve hardly more than any other, of which it takes seven."""
    flat = values.flatten(1)
    rise = 0.3 * flat.sum(dim=1) + 0.1 * flat[:, :2].sum(dim=1) + 1.5 * flat[:, 0] * flat[:, 1]
    return torch.stack([torch.full_like(rise, 2.3), rise], dim=1)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Exchanges alone, from values where so many voxels are changed."""

    passes: int
    first: int
    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L0",)

    def __call__(self, task: Task) -> Tensor:
        smallest, start = Smallest(task), task.clean.clone()
        start.flatten(1)[:, self.first :] = 1
        smallest.see(start, task.margin(start))
        fewer(task, smallest, passes=self.passes, candidates=4, targets=2)
        return smallest.values


def counts(network: object, attack: Attack, tally: Tally | None = None) -> list[int]:
    found = fool(network, CLEAN, LABELS, attack, L0(16), tally=tally)  # type: ignore[arg-type]
    assert bool((network(found).argmax(dim=1) != LABELS).all())  # type: ignore[operator]
    return (found != CLEAN).flatten(1).sum(dim=1).tolist()


def test_sigma_zero_goes_another_way_than_the_nearest() -> None:
    assert counts(detour, SigmaZero(60, targets=1)) == [12, 12]
    assert counts(detour, SigmaZero(60, targets=2)) == [1, 1]
    assert counts(detour, Closest()) == [1, 1]


def test_ways_share_the_steps() -> None:
    spent = []
    for targets in (1, 2, 5):
        tally = Tally()
        counts(detour, SigmaZero(61, targets=targets), tally)
        spent.append(tally.gradients)
    assert spent == [2 * 61] * 3


def test_sigma_zero_refuses_no_targets() -> None:
    with pytest.raises(AttackError, match="targets"):
        SigmaZero(targets=0)


def test_exchanges_find_two_voxels_from_others() -> None:
    assert counts(pairs, Exchanged(passes=0, first=2)) == [13, 13]
    assert counts(pairs, Exchanged(passes=600, first=2)) == [2, 2]


@pytest.mark.parametrize("passes", [0, 1, 2, 3, 17, 50, 200])
def test_no_more_passes_are_spent_than_given(passes: int) -> None:
    none, some = Tally(), Tally()
    counts(pairs, Exchanged(passes=0, first=2), none)
    counts(pairs, Exchanged(passes=passes, first=2), some)
    assert some.queries + some.gradients - none.queries - none.gradients <= len(CLEAN) * passes

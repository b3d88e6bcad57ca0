"""The bounds of an Linf budget keep values where the task itself would keep them."""

import dataclasses

import numpy as np
import pytest
import torch

from napari_medadv.attacks.cube import Cube, hold, kept
from napari_medadv.attacks.grid import Grid
from napari_medadv.attacks.perturb import task_of
from napari_medadv.attacks.plain import plain_task
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.progress import silent
from napari_medadv.threat import L2, Budget, Conceal, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume


def task(budget: Budget, slope: float, padding: tuple[int, int] | None, signed: bool, masked: bool) -> Task:
    rng = np.random.default_rng(0)
    low, high = (-2048, 2047) if signed else (0, 4095)
    voxels = rng.integers(low, high + 1, (3, 12, 12)).astype(np.int16)
    voxels[:, :2, :2], voxels[:, 2, :2], voxels[:, 3, :2] = low, high, low + 1
    scale = Scale("HU", low, high, np.full(3, slope), np.full(3, -1024.0), padding)
    volume = Volume(voxels, np.eye(4), scale)
    mask = rng.random((3, 12, 12)) < 0.5 if masked else None
    classifier = Classifier(lambda values: values.flatten(1)[:, :1], Findings(("a",), "sigmoid"), "HU")
    threat = Threat(Conceal("a"), budget, Region(mask))
    before = classifier.predict(volume)
    return task_of(classifier, volume, threat, before, np.arange(3), torch.Generator().manual_seed(0), silent)[0]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("padding", [None, (-2048, -2048), (-2048, -2040), (2040, 2047)])
@pytest.mark.parametrize(
    ("slope", "levels"), [(1.0, 3.0), (1.0, 8.0), (0.5, 2.55), (1.7, 4.0), (0.0625, 40.0), (-1.0, 8.0), (-0.5, 2.55)]
)
def test_a_cube_holds_values_where_the_task_holds_them(
    slope: float, levels: float, padding: tuple[int, int] | None, masked: bool
) -> None:
    made, step = task(Linf(levels * abs(slope)), slope, padding, True, masked), abs(slope)
    held = hold(made)
    assert isinstance(held, Cube)
    rng = torch.Generator().manual_seed(1)
    for reach in (0.5, 1.0, 3.0):
        values = made.clean + (2 * torch.rand(made.clean.shape, generator=rng) - 1) * reach * levels * step
        assert torch.allclose(held.admit(values), made.admit(values), atol=1e-3 * step)
        here = held.stored(values)
        assert torch.allclose(here, made.stored(here), rtol=0, atol=1e-4 * step), "what a cube stores, the judge stores"
        away = (here - made.stored(values)).abs() / step
        assert float(away.max()) < 1.01 and float((away > 0.01).float().mean()) < 0.01
    rows = torch.tensor([2, 0])
    assert torch.equal(kept(held, made.take(rows), rows).stored(values[rows]), here[rows])


def test_plain_tensors_are_held_without_a_grid() -> None:
    inputs = torch.rand(3, 1, 6, 6)
    made = plain_task(
        lambda values: values.flatten(1)[:, :2],
        inputs,
        torch.zeros(3).long(),
        Linf(0.1),
        False,
        (0, 1),
        None,
        8,
        0,
        Tally(),
    )
    values = made.clean + torch.randn(made.clean.shape, generator=torch.Generator().manual_seed(0)) * 0.2
    held = hold(made)
    assert isinstance(held, Cube)
    assert torch.allclose(held.stored(values), made.stored(values), atol=1e-6)


def test_other_balls_and_budgets_that_reach_over_the_padding_are_left_to_the_task() -> None:
    made = task(L2(10), 1.0, None, True, False)
    assert hold(made) is made and kept(made, made, torch.tensor([0])) is made
    across = task(Linf(100), 1.0, (-20, 20), True, False)
    assert hold(across) is across
    assert isinstance(made.grid, Grid)
    wide = dataclasses.replace(made.grid, highest=2**30)
    assert not isinstance(hold(dataclasses.replace(made, budget=Linf(10), grid=wide)), Cube)


@pytest.mark.parametrize(("levels", "highest"), [(1.0, 1), (2.0, 2), (2.55, 2), (4.0, 4)])
def test_what_is_stored_is_the_nearest_within_the_budget(levels: float, highest: int) -> None:
    made = task(Linf(levels * 0.5), 0.5, None, True, False)
    assert isinstance(made.grid, Grid)
    wished = (2 * torch.rand(made.clean.shape, generator=torch.Generator().manual_seed(2)) - 1) * levels * 0.5
    room = (made.grid.stored - made.grid.lowest >= 5) & (made.grid.highest - made.grid.stored >= 5)
    codes = made.grid.codes(wished, made.budget)
    nearest = (wished.double() / 0.5).round().clamp(-highest, highest).to(torch.int64)
    assert int(codes.abs().amax()) == highest and float((codes == nearest)[room].float().mean()) > 0.999

"""bfloat16 finds the way; float32 decides, and is asked no more often than a decision needs."""

import math

import torch
from torch import Tensor

from napari_medadv.attacks.best import Best
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import plain_task
from napari_medadv.attacks.rising import DOUBT
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.threat import Linf


def task(*, offset: float, tilt: float = 0.0, gain: float = 1.0) -> tuple[Task, list[bool]]:
    """Two classes; the margin rises with the mean of the image, and by `tilt` in bfloat16. Which calls were in float32."""
    exact: list[bool] = []

    def network(values: Tensor) -> Tensor:
        short = torch.is_autocast_enabled("cpu")
        exact.append(not short)
        height = gain * values.flatten(1).mean(1, keepdim=True) - offset + (tilt if short else 0.0)
        return torch.cat([-height / 2, height / 2], 1)

    clean, truth = torch.full((2, 1, 4, 4), 0.5), torch.zeros(2, dtype=torch.long)
    made = plain_task(network, clean, truth, Linf(0.1), False, (0.0, 1.0), None, 8, 0, Tally())
    exact.clear()
    return made, exact


def test_far_from_the_decision_float32_is_never_asked() -> None:
    made, exact = task(offset=5)
    PGD(8, confidence=math.inf, arithmetic="bfloat16")(made)
    assert len(exact) == 9 and not any(exact)


def test_near_the_decision_float32_is_asked_from_the_half_on() -> None:
    made, exact = task(offset=0.6)
    PGD(8, confidence=math.inf, arithmetic="bfloat16")(made)
    assert True not in exact[:5] and True in exact[5:]


def test_an_entry_rests_by_float32_alone() -> None:
    made, exact = task(offset=0.5, tilt=0.2, gain=4)
    values = PGD(8, start="clean", confidence=0.05, arithmetic="bfloat16")(made)
    assert any(exact) and bool((made.margin(values) > 0.05).all())


def test_confirming_puts_the_margins_of_float32() -> None:
    made, _ = task(offset=0.6, tilt=0.2)
    best = Best(made, math.inf, rough=True)
    rough = made.margin(made.clean, arithmetic="bfloat16", trusted=-math.inf)
    torch.testing.assert_close(rough, torch.full((2,), 0.1))
    best.see(made.clean, rough)
    best.confirm()
    torch.testing.assert_close(best.margin, torch.full((2,), -0.1))
    assert not best.rough


def test_a_margin_no_better_than_the_floor_is_not_asked_again() -> None:
    made, exact = task(offset=0.6)
    floor = torch.tensor([-1.0, 0.0])
    made.margin(made.clean, arithmetic="bfloat16", floor=floor)
    assert exact == [False, True] and DOUBT > 0.1
    exact.clear()
    made.margin(made.clean, arithmetic="bfloat16", floor=torch.zeros(2))
    assert exact == [False]


def test_a_margin_of_nan_is_no_better() -> None:
    made, _ = task(offset=0.6)
    best = Best(made, math.inf)
    best.see(made.clean, torch.tensor([0.1, 0.2]))
    best.see(made.clean + 0.1, torch.tensor([math.nan, 0.3]))
    torch.testing.assert_close(best.margin, torch.tensor([0.1, 0.3]))

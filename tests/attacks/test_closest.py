"""The closest of several attacks is never farther than any of them, and few voxels are fewer still after exchanges."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.closest import Closest
from napari_medadv.attacks.ddn import DDN
from napari_medadv.attacks.fab import FAB
from napari_medadv.attacks.fmn import FMN
from napari_medadv.attacks.pdpgd import PDPGD
from napari_medadv.attacks.plain import fool
from napari_medadv.attacks.sigma_zero import SigmaZero
from napari_medadv.threat import L0, L1, L2, Budget, Linf
from napari_medadv.threat.ball import size

PARTS: dict[str, tuple[Attack, ...]] = {
    "Linf": (FMN(60), FAB(60)),
    "L2": (DDN(60), FMN(60), FAB(60)),
    "L1": (PDPGD(60), FMN(60), FAB(60)),
    "L0": (SigmaZero(100), FMN(60)),
}
BUDGETS: dict[str, Budget] = {"Linf": Linf(10), "L2": L2(100), "L1": L1(1000), "L0": L0(64)}


def toy() -> tuple[nn.Module, Tensor, Tensor]:
    """A small network of five classes, and images that it puts where they are."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 5)).requires_grad_(False)
    network.get_parameter("1.weight").mul_(3)
    inputs = torch.rand(8, 1, 8, 8)
    return network.eval(), inputs, network(inputs).argmax(dim=1)


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1", "L0"])
def test_never_farther_than_its_parts(norm: str) -> None:
    network, inputs, labels = toy()

    def distance(attack: Attack) -> Tensor:
        found = fool(network, inputs, labels, attack, BUDGETS[norm])
        wrong = network(found).argmax(dim=1) != labels
        return torch.where(wrong, size((found - inputs).unsqueeze(2), norm), torch.inf)  # type: ignore[arg-type]

    closest = distance(Closest(steps=60, rounds=6))
    nearest = torch.stack([distance(attack) for attack in PARTS[norm]]).amin(dim=0)
    assert closest.isfinite().all()
    assert float(closest.mean()) <= float(nearest.mean()) * 1.0001
    assert float((closest / nearest).amax()) < 1.1


def test_apgd_spends_the_l1_ball_although_voxels_reach_the_end_of_the_range() -> None:
    weight = torch.tensor([[3.0, 2.0, 1.0, 0.5]])
    inputs = torch.full((1, 1, 2, 2), 0.5)

    def network(values: Tensor) -> Tensor:
        rise = ((values - 0.5).flatten(1) * weight).sum(dim=1)
        return torch.stack([torch.zeros_like(rise), rise - 2.7], dim=1)

    found = fool(network, inputs, torch.zeros(1, dtype=torch.int64), APGD(steps=40), L1(1.5))
    assert network(found)[0, 1] > 0, "3 x 0.5 + 2 x 0.5 + 1 x 0.5 = 3 is within reach"

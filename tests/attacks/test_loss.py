"""The gradient of a loss to the logits: its closed form is that of autograd, and a step judges as the goal does."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.attacks.best import Best
from napari_medadv.attacks.loss import Loss, climbed, slope
from napari_medadv.attacks.plain import plain_task
from napari_medadv.attacks.tally import Tally
from napari_medadv.prediction import Findings
from napari_medadv.threat import Conceal, Confuse, Fabricate, Goal, Linf
from napari_medadv.threat.goal import one_decides

SOFT = Findings(("a", "b", "c"), "softmax")
LOGITS = torch.tensor([[3.0, -1.0, 0.5], [-40.0, 2.0, 60.0], [0.1, 0.2, 0.3], [5.0, 5.0, -5.0]])
DECIDED = torch.tensor([[True, False, False], [False, False, True], [False, True, False], [True, False, False]])


@pytest.mark.parametrize("loss", ["cross-entropy", "margin", "probability", "ratio"])
@pytest.mark.parametrize("goal", [Confuse(), Conceal("a"), Fabricate("b")], ids=str)
def test_the_slope_is_the_gradient_of_the_loss(goal: Goal, loss: Loss) -> None:
    leaf = LOGITS.clone().requires_grad_(True)
    (wanted,) = torch.autograd.grad(climbed(goal, leaf, SOFT, DECIDED, loss).sum(), leaf)
    found = slope(goal, LOGITS, SOFT, DECIDED, loss, alone=one_decides(SOFT, DECIDED))
    assert torch.allclose(found, wanted, atol=1e-6)
    assert not LOGITS.requires_grad


def test_one_label_decides_only_where_each_entry_has_one() -> None:
    assert one_decides(SOFT, DECIDED)
    assert not one_decides(SOFT, torch.zeros_like(DECIDED))
    assert not one_decides(Findings(("a", "b", "c"), "sigmoid"), DECIDED)
    assert not one_decides(Findings(("a", "b", "c"), "softmax", {"a": 0.4}), DECIDED)


def task(labels: Tensor) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval().requires_grad_(False)
    return network, torch.rand(len(labels), 1, 4, 4)


@pytest.mark.parametrize(
    "labels", [torch.tensor([0, 1, 2, 0, 1]), torch.tensor([[True, False, True]] * 5)], ids=["one", "several"]
)
def test_the_margin_and_the_gradient_of_a_task_are_those_of_its_goal(labels: Tensor) -> None:
    network, inputs = task(labels)
    made = plain_task(network, inputs, labels, Linf(0.1), False, (0.0, 1.0), None, 2, 0, Tally())
    assert made.alone == (labels.dtype == torch.int64)
    wanted = made.threat.goal.margin(network(inputs), made.classifier.findings, made.decided)
    margin, gradient = made.gradient(made.clean)
    assert torch.allclose(margin, wanted) and torch.allclose(made.margin(made.clean), wanted)
    leaf = inputs.clone().requires_grad_(True)
    height = climbed(made.threat.goal, network(leaf), made.classifier.findings, made.decided, "cross-entropy")
    (same,) = torch.autograd.grad(height.sum(), leaf)
    assert torch.allclose(gradient.squeeze(2), same, atol=1e-6)
    assert torch.allclose(made.ascent(made.clean)[1], height)


def test_the_best_values_are_kept_to_the_last_bit() -> None:
    network, inputs = task(labels := torch.tensor([0, 1, 2, 0]))
    made = plain_task(network, inputs, labels, Linf(0.1), False, (0.0, 1.0), None, 4, 0, Tally())
    best = Best(replace(made), torch.inf)
    first, second = torch.rand_like(made.clean), torch.rand_like(made.clean)
    best.see(first, torch.tensor([1.0, 2.0, 3.0, 4.0]))
    best.see(second, torch.tensor([2.0, 1.0, 4.0, 4.0]))
    assert torch.equal(best.values, torch.stack([second[0], first[1], second[2], first[3]]))
    assert best.margin.tolist() == [2.0, 2.0, 4.0, 4.0]

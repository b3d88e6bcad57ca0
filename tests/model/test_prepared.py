import copy
import io
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.errors import ModelError
from napari_medadv.model import attach
from napari_medadv.model.folding import folded
from napari_medadv.model.prepared import prepare, still
from tests.model.networks import Small

CPU = torch.device("cpu")


class Dense(nn.Module):
    """Batch norm before ReLU and convolution, a concatenation, and a batch norm that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.first = nn.Conv2d(1, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.grow = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.after = nn.BatchNorm2d(8, affine=False)
            self.head = nn.Linear(8, 3)
            for norm in (self.norm, self.after):
                assert norm.running_mean is not None and norm.running_var is not None
                nn.init.normal_(norm.running_mean)
                nn.init.uniform_(norm.running_var, 0.2, 3)
            nn.init.normal_(self.norm.weight)
            nn.init.normal_(self.norm.bias)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        before = self.first(values)
        grown = self.norm(self.grow(torch.relu(self.norm(before))))
        both = self.after(torch.cat([before, grown], dim=1))
        found: Tensor = self.head(torch.relu(both).mean(dim=(2, 3)))
        return found


def exported(network: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    program = torch.export.export(network, (torch.rand(2, *shape),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    return program.module(check_guards=False)


def gradient(network: Any, values: Tensor) -> Tensor:
    inputs = values.clone().requires_grad_(True)
    answer = network(inputs)
    answer = answer[0] if isinstance(answer, tuple) else answer
    (found,) = torch.autograd.grad(answer[:, 0].sum(), inputs)
    return found


@pytest.mark.parametrize("form", ["module", "exported"])
@pytest.mark.parametrize(
    ("network", "shape", "merged", "alone"),
    [(Small(), (1, 20, 20), 2, 0), (Small(axes=3), (1, 9, 10, 11), 2, 0), (Dense(), (1, 16, 16), 1, 2)],
)
def test_folding_changes_neither_answers_nor_gradients(
    network: nn.Module, shape: tuple[int, ...], merged: int, alone: int, form: str
) -> None:
    ready = still(network if form == "module" else exported(network, shape), CPU)
    found = folded(ready)
    assert found is not None and (found.merged, found.alone) == (merged, alone)
    assert not any(isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d) for module in found.network.modules())
    assert "batch_norm" not in found.network.code
    values = torch.rand(3, *shape)
    prepared = prepare(ready, values)
    assert "folded" in prepared.words and ("channels last" in prepared.words) == (len(shape) == 3)
    with torch.no_grad():
        answer: Any = prepared(values)
        answer = answer[0] if isinstance(answer, tuple) else answer
        assert torch.allclose(answer, network(values), atol=1e-5)
    assert torch.allclose(gradient(prepared, values), gradient(network, values), atol=1e-5)


def everything(network: nn.Module) -> dict[str, Any]:
    return {
        "state": {key: value.clone() for key, value in network.state_dict().items()},
        "training": {name: module.training for name, module in network.named_modules()},
        "gradients": {
            name: (part.requires_grad, None if part.grad is None else part.grad.clone(), part.data_ptr(), part.stride())
            for name, part in network.named_parameters()
        },
        "keys": {name: sorted(vars(module)) for name, module in network.named_modules()},
    }


def same(first: Any, second: Any) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, tuple):
        return all(same(one, other) for one, other in zip(first, second, strict=True))
    return torch.equal(first, second) if isinstance(first, Tensor) else bool(first == second)


def test_the_callers_module_is_left_exactly_as_it_was() -> None:
    network = Dense().train()
    network.head.eval()
    network(torch.rand(4, 1, 16, 16)).sum().backward()
    network.first.weight.requires_grad_(False)
    before = everything(network)
    assert same(before, everything(network))
    classifier = attach(network, labels=["a", "b", "c"], activation="softmax", unit="presentation value")
    gradient(classifier.network, torch.rand(2, 1, 16, 16))
    assert same(before, everything(network))
    network.head.weight.data.add_(1)
    assert not same(before, everything(network))


def test_prepared_answers_are_the_same_every_time() -> None:
    values = torch.rand(4, 1, 16, 16)
    runs: list[tuple[Any, Tensor]] = []
    for _ in range(2):
        prepared = prepare(still(Dense(), CPU), values)
        runs.append((prepared(values), gradient(prepared, values)))
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])


class Branches(nn.Module):
    """No graph can be traced: the path depends on the values."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1).eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(values)
        return found.mean(dim=(2, 3)) if found.mean() > 100 else found.amax(dim=(2, 3))


class Views(nn.Module):
    """A view that channels-last values do not allow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(self.conv(values))
        return found.view(values.shape[0], -1)[:, :2]


class Lies(nn.Module):
    """Answers otherwise when it is traced: folding would change it, and must be left."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(self.conv(values)).mean(dim=(2, 3))
        return found if isinstance(values, Tensor) else found + 1


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Branches(), "channels last"),
        (Views(), "1 batch norms folded into convolutions, 0 into one operation"),
        (Lies(), "channels last"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), "channels last"),
    ],
)
def test_what_would_change_the_answers_is_left(network: nn.Module, words: str) -> None:
    values = torch.rand(3, 1, 8, 8)
    if isinstance(network, Lies):
        assert folded(still(network, CPU)) is not None
    prepared = prepare(still(network.eval(), CPU), values)
    assert prepared.words == words
    with torch.no_grad():
        assert torch.allclose(prepared(values), network(values), atol=1e-5)  # type: ignore[arg-type]


class Halts(nn.Module):
    """A part without gradient, which no graph remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(values)
        with torch.no_grad():
            scale = found.square().mean(dim=(1, 2, 3), keepdim=True)
        return (found / scale).mean(dim=(2, 3))


def test_a_graph_that_lost_a_no_grad_is_not_taken() -> None:
    values = torch.rand(2, 1, 8, 8)
    network = Halts()
    assert folded(still(network, CPU)) is not None
    prepared = prepare(still(network, CPU), values)
    assert prepared.words == "channels last"
    assert torch.allclose(gradient(prepared, values), gradient(network, values), atol=1e-6)


def test_batch_norms_in_training_are_not_folded() -> None:
    network = Small().train()
    assert folded(network) is None


def test_a_script_is_frozen_and_answers_the_same_from_the_first_call_on() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script: Any = torch.jit.script(
            nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()).eval()
        )
    values = torch.rand(2, 1, 8, 8)
    prepared = prepare(still(script, CPU), values)
    assert prepared.words == "frozen"
    answers: list[Any] = [prepared(values) for _ in range(4)]
    gradients = [gradient(prepared, values) for _ in range(4)]
    assert all(torch.equal(answers[0], answer) for answer in answers)
    assert all(torch.equal(gradients[0], one) for one in gradients)


def test_a_network_that_cannot_be_copied_gets_one_sentence() -> None:
    network: Any = Small()
    network.kept = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(ModelError, match="cannot be copied"):
        still(network, CPU)
    network.kept = io.StringIO()
    still(network, CPU)


def test_half_precision_is_asked_in_single() -> None:
    network = copy.deepcopy(Small()).half()
    assert {part.dtype for part in still(network, CPU).parameters()} == {torch.float32}
    assert {part.dtype for part in network.parameters()} == {torch.float16}

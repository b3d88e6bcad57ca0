"""Fewer passes between convolutions: the same answers and gradients, for modules and exported programs."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.model.folding import folded
from napari_medadv.model.lean import Flat, lean
from napari_medadv.model.prepared import prepare


class Blocks(nn.Module):
    """Batch norm, ReLU, convolution, as in a DenseNet; one scale is negative; a ReLU whose input is read twice; a flatten."""

    def __init__(self, least: float) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.first = nn.Conv2d(1, 4, 3, padding=1)
            self.pool = nn.MaxPool2d(2)
            self.norm = nn.BatchNorm2d(4)
            self.relu = nn.ReLU()
            self.second = nn.Conv2d(4, 6, 3, padding=1)
            self.flatten = nn.Flatten()
            self.head = nn.Linear(6 * 4 * 4, 3)
            nn.init.uniform_(self.norm.weight, least, 2)
            nn.init.normal_(self.norm.bias)
            assert self.norm.running_mean is not None
            nn.init.normal_(self.norm.running_mean)
        self.eval().requires_grad_(False)

    def forward(self, values: Tensor) -> Tensor:
        below = self.pool(self.first(values))
        here = self.second(self.relu(self.norm(below)))
        here = torch.relu(here) + here
        found: Tensor = self.head(self.flatten(torch.relu(here)))
        return found


def exported(network: nn.Module) -> nn.Module:
    program = torch.export.export(network, (torch.rand(2, 1, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    return program.module(check_guards=False)


def both(network: Any, values: Tensor) -> tuple[Tensor, Tensor]:
    inputs = values.clone().requires_grad_(True)
    answers = network(inputs)
    answers = answers[0] if isinstance(answers, tuple) else answers
    (found,) = torch.autograd.grad(answers[:, 1].sum(), inputs)
    return answers.detach(), found


@pytest.mark.parametrize("form", ["module", "exported"])
@pytest.mark.parametrize("least", [0.5, -1.0])
def test_answers_and_gradients_are_the_same(form: str, least: float) -> None:
    network: nn.Module = Blocks(least)
    wanted = both(network, values := torch.rand(3, 1, 8, 8) * 4 - 2)
    given = exported(network) if form == "exported" else network
    before = folded(given)
    assert before is not None
    made = lean(before.network, values)
    assert made is not None
    called = [node.target for node in made.graph.nodes]
    assert (torch.addcmul in called) == (least < 0)
    assert called.count(torch.relu_) == 2
    assert sum(type(part) is Flat for part in made.modules()) == 1
    for one, same in zip(both(made, values.contiguous(memory_format=torch.channels_last)), wanted, strict=True):
        assert torch.allclose(one, same, atol=1e-5)


def test_the_network_itself_is_not_changed() -> None:
    network = Blocks(0.5)
    before = copy.deepcopy(network.state_dict())
    prepared = prepare(network, torch.rand(3, 1, 8, 8))
    assert "fewer passes" in prepared.words
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert not network.relu.inplace


def test_a_linear_layer_takes_what_it_took() -> None:
    layer = nn.Linear(2 * 3 * 4, 5).requires_grad_(False)
    flat = Flat(layer.weight, layer.bias, (2, 3, 4))
    for shape in ((2, 3, 4), (2, 4, 3)):
        values = torch.rand(6, *shape)
        assert torch.allclose(flat(values), layer(values.flatten(1)), atol=1e-6)
        narrow = values.contiguous(memory_format=torch.channels_last)
        assert torch.allclose(flat(narrow), layer(values.flatten(1)), atol=1e-6)
        with pytest.raises(RuntimeError):
            flat(torch.rand(6, 2, 3, 5))


def test_where_nothing_is_to_spare_there_is_none() -> None:
    assert lean(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sigmoid()).eval(), torch.rand(1, 1, 8, 8)) is None

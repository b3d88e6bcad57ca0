"""Gradients in bfloat16, the probe that chooses them, the batch that fits, and the number of threads."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_medadv.errors import ModelError
from napari_medadv.model import Classifier, arithmetic, attach, room, spill, threads
from napari_medadv.model.intake import Intake
from napari_medadv.model.prepared import Prepared, prepare, still
from napari_medadv.model.short import Short
from napari_medadv.volume import Scale, Volume
from tests.model.networks import Small

CPU = torch.device("cpu")
INTAKE = Intake(torch.ones(4), torch.zeros(4))


def shortened(values: Tensor, network: Any) -> Tensor:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found: Tensor = network(values)
    return found[0] if isinstance(found, list | tuple) else found


@pytest.fixture
def small() -> Classifier:
    arithmetic._known.clear()
    threads._known.clear()
    return attach(Small(), labels=["a", "b"], activation="softmax", unit="presentation value")


def test_the_twin_keeps_narrow_weights_and_answers_float32() -> None:
    values = torch.rand(2, 1, 20, 20)
    prepared = prepare(still(Small(), CPU), values)
    with torch.no_grad():
        exact: Any = prepared(values)
    rough = shortened(values, prepared)
    exact = exact[0] if isinstance(exact, list | tuple) else exact
    assert rough.dtype == torch.float32 and not torch.equal(rough, exact)
    assert torch.allclose(rough, exact, atol=0.05)
    assert {part.dtype for part in prepared.network.parameters()} == {torch.float32}
    assert prepared.short._twin is not None
    assert {part.dtype for part in prepared.short._twin.parameters()} == {torch.bfloat16}


class Wide(nn.Module):
    """Its path asks for float32 half-way, so that narrow weights meet wide values."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.conv(values.to(torch.float32)).mean(dim=(2, 3))
        return found


def test_a_network_that_cannot_be_shortened_is_asked_under_autocast() -> None:
    values = torch.rand(2, 1, 8, 8)
    short = Short(still(Wide(), CPU))
    assert torch.allclose(shortened(values, short).float(), Wide.forward(short._network, values), atol=0.02)  # type: ignore[arg-type]
    assert short._refused and short._twin is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script: Any = torch.jit.script(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()).eval())
    assert shortened(values, Prepared(still(script, CPU))).shape == (2, 72)


def timed(monkeypatch: pytest.MonkeyPatch, wide: float, narrow: float, turn: float = 1.0) -> list[bool]:
    asked: list[bool] = []

    def gradient(classifier: Classifier, values: Tensor, intake: Intake, *, short: bool) -> tuple[Tensor, float]:
        asked.append(short)
        return torch.tensor([1.0, turn if short else 1.0]), narrow if short else wide

    monkeypatch.setattr(arithmetic, "_able", lambda device: True)
    monkeypatch.setattr(arithmetic, "_gradient", gradient)
    return asked


@pytest.mark.parametrize(
    ("wide", "narrow", "turn", "wanted"),
    [
        (1.0, 0.5, 1.0, "bfloat16"),
        (1.0, 0.9, 1.0, "float32"),
        (1.0, 0.5, -1.0, "float32"),
        (1.0, 0.5, float("nan"), "float32"),
        (0.001, 0.0001, 1.0, "float32"),
    ],
)
def test_bfloat16_is_taken_where_it_is_clearly_faster_and_points_the_same_way(
    small: Classifier, monkeypatch: pytest.MonkeyPatch, wide: float, narrow: float, turn: float, wanted: str
) -> None:
    asked = timed(monkeypatch, wide, narrow, turn)
    values = torch.rand(4, 1, 1, 20, 20)
    assert arithmetic.swiftest(small, values, INTAKE) == wanted
    count = len(asked)
    assert arithmetic.swiftest(small, values, INTAKE) == wanted and len(asked) == count
    blind = dataclasses.replace(small, white_box=False)
    assert arithmetic.swiftest(blind, values, INTAKE) == "float32"


def test_a_processor_without_such_instructions_is_not_tried(small: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = timed(monkeypatch, 1.0, 0.1)
    monkeypatch.setattr(arithmetic, "_able", lambda device: False)
    assert arithmetic.swiftest(small, torch.rand(4, 1, 1, 20, 20), INTAKE) == "float32"
    assert not asked


def test_the_gradient_that_is_timed_is_that_of_the_classifier(small: Classifier) -> None:
    values = torch.rand(1, 1, 1, 20, 20)
    exact, took = arithmetic._gradient(small, values, INTAKE.take(slice(0, 1)), short=False)
    rough, _ = arithmetic._gradient(small, values, INTAKE.take(slice(0, 1)), short=True)
    assert took > 0 and not torch.equal(rough, exact)
    assert float(torch.nn.functional.cosine_similarity(rough.flatten(), exact.flatten(), dim=0)) > 0.9


def test_the_batch_fits_the_memory_at_hand(small: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.rand(2, 1, 20, 20)
    taken = room.kept_bytes(small.network, values[:1])
    assert taken > values[0].nbytes
    assert small.batch == room.MOST
    for most in (1, 2, 8):
        monkeypatch.setattr(room, "bytes_at_hand", lambda device, most=most: taken * most / room.SHARE)
        assert room.fitting(taken, values) == most
    assert room.bytes_at_hand(CPU) > 0


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ({1: 1.0, 2: 0.5, 4: 0.3, 6: 0.29}, 4),
        ({1: 1.0, 2: 0.95, 4: 0.99, 6: 1.2}, 1),
        ({1: 0.001, 2: 0.0001, 4: 0.0001, 6: 0.0001}, 1),
        ({1: 1.0, 2: 0.5, 4: 0.3, 6: 0.2}, 6),
    ],
)
def test_the_fewest_threads_that_are_about_as_fast(
    small: Classifier, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], wanted: int
) -> None:
    asked: list[int] = []

    def took(classifier: Classifier, values: Tensor, intake: Intake, count: int) -> float:
        asked.append(count)
        return seconds[count]

    monkeypatch.setattr(threads, "_seconds", took)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    volume = Volume(np.full((2, 20, 20), 100, np.uint8), np.eye(4), Scale("level", 0, 255))
    assert threads.fastest_threads(small, volume) == wanted
    count = len(asked)
    assert threads.fastest_threads(small, volume) == wanted and len(asked) == count


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with threads.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


class Thick(nn.Module):
    """Keeps some megabytes for the way back."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.first, self.second = nn.Conv3d(1, 8, 3, padding=1), nn.Conv3d(8, 8, 3, padding=1)
            self.head = nn.Linear(8, 2)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.head(torch.tanh(self.second(torch.relu(self.first(values)))).mean(dim=(2, 3, 4)))
        return found


def test_a_gradient_that_memory_does_not_hold_is_kept_on_disk_and_is_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDADV_SCRATCH", str(tmp_path))
    classifier = attach(Thick(), labels=["a", "b"], activation="softmax", unit="presentation value", reads="volume")
    values = torch.rand(1, 1, 40, 48, 48)
    intake = Intake(torch.ones(1), torch.zeros(1))

    def taken() -> tuple[Tensor, int]:
        inputs = values.clone().requires_grad_(True)
        answer = classifier.logits(inputs, intake)[:, 0].sum()
        files = len(list(tmp_path.iterdir()))
        return torch.autograd.grad(answer, inputs)[0], files

    exact, files = taken()
    assert files == 0 and classifier.kept > 8
    monkeypatch.setattr("napari_medadv.model.classifier.too_large", lambda kept, values: True)
    spilt, files = taken()
    assert files >= 2 and torch.equal(spilt, exact)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("MEDADV_SCRATCH", str(tmp_path))
    monkeypatch.setattr("os.posix_fallocate", full)
    monkeypatch.setattr("napari_medadv.model.classifier.too_large", lambda kept, values: True)
    classifier = attach(Thick(), labels=["a", "b"], activation="softmax", unit="presentation value", reads="volume")
    inputs = torch.rand(1, 1, 40, 48, 48, requires_grad=True)
    with pytest.raises(ModelError, match="No space left on device"):
        classifier.logits(inputs, Intake(torch.ones(1), torch.zeros(1)))
    assert not list(tmp_path.iterdir())


def test_what_is_too_large_depends_on_the_memory_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.empty(1, 1, 64, 512, 512, device="meta")
    monkeypatch.setattr(spill, "bytes_at_hand", lambda device: 2**32)
    assert spill.too_large(1000.0, values) and not spill.too_large(50.0, values)
    monkeypatch.setattr(spill, "bytes_at_hand", lambda device: 2**30)
    assert spill.too_large(50.0, values) and not spill.too_large(1.0, values)


def test_too_little_memory_is_one_sentence(small: Classifier) -> None:
    def full(values: Tensor) -> Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

    with pytest.raises(ModelError, match="more memory"):
        dataclasses.replace(small, network=full).logits(torch.rand(4, 1, 1, 20, 20), INTAKE)

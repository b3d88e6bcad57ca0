import io
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.errors import ModelError
from napari_medadv.model import load_classifier
from tests.model.formats.bait import Trap, record, rewrite
from tests.model.networks import Small, grey, write_card


def script(network: nn.Module, path: Path, *, trace: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = torch.rand(2, 1, 32, 32)
        jit: Any = torch.jit
        made = jit.trace(network, values) if trace else jit.script(network)
        jit.save(made, path)
    return path


class Plain(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return torch.stack([values.mean(dim=(1, 2, 3)), values.amax(dim=(1, 2, 3))], dim=1)


class Notebook(nn.Module):
    """It was written in a script or a notebook, which is a module without a name."""

    __module__ = "__main__"

    def forward(self, values: Tensor) -> Tensor:
        return torch.stack([values.mean(dim=(1, 2, 3)), values.amax(dim=(1, 2, 3))], dim=1)


@pytest.mark.parametrize("suffix", ["pt", "ts", "torchscript"])
@pytest.mark.parametrize("trace", [False, True])
def test_it_answers_as_the_scripted_network(tmp_path: Path, suffix: str, trace: bool) -> None:
    write_card(tmp_path)
    network = Small() if trace else Plain()
    classifier = load_classifier(script(network, tmp_path / f"model.{suffix}", trace=trace))
    values = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), network(values), atol=1e-5)
    assert classifier.white_box
    first, second = (classifier.predict(grey()).probabilities for _ in range(2))
    assert (first == second).all()


def pickled(trap: Trap) -> bytes:
    import pickle

    buffer = io.BytesIO()
    pickle.Pickler(buffer, protocol=2).dump(trap)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["data.pkl", "constants.pkl"])
def test_a_pickle_that_calls_something_is_refused(tmp_path: Path, name: str) -> None:
    write_card(tmp_path)
    trap = Trap(tmp_path / "ran")
    path = rewrite(script(Plain(), tmp_path / "model.pt"), {name: pickled(trap)})
    with pytest.raises(ModelError, match="would call") as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value) and not trap.path.exists()


@pytest.mark.parametrize(
    "line",
    [
        'torch.save(values, "FILE")',
        'torch . save(values, "FILE")',
        'getattr(torch, "sav\\145")(values, "FILE")',
        'torch.from_file("FILE", True, 100)',
        "torch.manual_seed(3)",
        "ops.c10d.barrier(values)",
    ],
)
def test_code_that_touches_files_is_refused(tmp_path: Path, line: str) -> None:
    write_card(tmp_path)
    path = script(Plain(), tmp_path / "model.pt")
    names = [name for name in torch._C.PyTorchFileReader(str(path)).get_all_records() if name.endswith(".py")]
    code = record(path, names[0]).decode()
    head, body = code.split("Tensor:\n", 1)
    bait = line.replace("FILE", str(tmp_path / "ran"))
    rewrite(path, {names[0]: f"{head}Tensor:\n    _0 = {bait}\n{body}".encode()})
    with pytest.raises(ModelError, match="code") as caught:
        load_classifier(path)
    assert "was not opened" in str(caught.value) and not (tmp_path / "ran").exists()


def test_the_case_of_a_record_hides_nothing(tmp_path: Path) -> None:
    write_card(tmp_path)
    path = script(Plain(), tmp_path / "model.pt")
    (name,) = [one for one in torch._C.PyTorchFileReader(str(path)).get_all_records() if one.endswith(".py")]
    code = (
        record(path, name).decode().replace("Tensor:\n", f"Tensor:\n    torch.save(values, '{tmp_path / 'ran'}')\n", 1)
    )
    rewrite(path, {name: None, name.upper(): code.encode()})
    with pytest.raises(ModelError, match="code"):
        load_classifier(path)


class Saves(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        torch.save(values, "ran.pt")
        return values.mean(dim=(2, 3))


def test_scripted_save_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_card(tmp_path)
    path = script(Saves(), tmp_path / "model.pt")
    with pytest.raises(ModelError, match="'save'"):
        load_classifier(path)
    assert not (tmp_path / "ran.pt").exists()


class Two(nn.Module):
    def forward(self, values: Tensor, other: Tensor) -> Tensor:
        return values.mean(dim=(2, 3)) + other.mean(dim=(2, 3))


def test_two_inputs_and_damage_get_one_sentence(tmp_path: Path) -> None:
    write_card(tmp_path)
    with pytest.raises(ModelError, match="takes 2 inputs"):
        load_classifier(script(Two(), tmp_path / "model.pt"))
    path = script(Plain(), tmp_path / "model.pt")
    rewrite(path, {"data.pkl": None})
    with pytest.raises(ModelError, match="save it again"):
        load_classifier(path)


def test_a_network_of_a_script_or_a_notebook_is_read(tmp_path: Path) -> None:
    write_card(tmp_path)
    path = script(Notebook(), tmp_path / "model.pt")
    assert b"__torch__\nNotebook" in record(path, "data.pkl")
    assert load_classifier(path).white_box

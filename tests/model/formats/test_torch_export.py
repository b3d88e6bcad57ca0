import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from napari_medadv.errors import ModelError
from napari_medadv.model import load_classifier
from napari_medadv.model.card import read_card
from napari_medadv.model.formats.format import Source
from napari_medadv.model.formats.screening import _size
from napari_medadv.model.formats.torch_export import TorchExport
from tests.model.formats.bait import Trap, record, rewrite
from tests.model.networks import Small, export, grey, write_card


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write_card(tmp_path)
    return export(Small(), tmp_path / "model.pt2")


def saved(thing: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def test_it_answers_as_the_exported_network(weights: Path) -> None:
    classifier = load_classifier(weights)
    values = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), Small()(values), atol=1e-5)
    assert classifier.white_box and classifier.channels == 1 and len(classifier.sha256) == 64
    assert classifier.predict(grey()).probabilities.sum() > 0


def test_a_fixed_batch_is_asked_in_its_size(tmp_path: Path) -> None:
    write_card(tmp_path)
    for batch in (1, 3):
        classifier = load_classifier(export(Small(), tmp_path / "model.pt2", batch=batch))
        values = torch.rand(5, 1, 32, 32)
        with torch.no_grad():
            assert torch.allclose(classifier.network(values), Small()(values), atol=1e-5)


def program(weights: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(record(weights, "models/model.json"))
    change(content)
    rewrite(weights, {"models/model.json": json.dumps(content).encode()})


def graph(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["graph_module"]["graph"]
    return found


def renamed(content: dict[str, Any], name: str) -> dict[str, Any]:
    text = json.dumps(content).replace('"values"', json.dumps(name))
    found: dict[str, Any] = json.loads(text)
    return found


def test_pickled_sample_inputs_do_not_run(weights: Path, tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    rewrite(weights, {"data/sample_inputs/model.pt": saved(((trap,), {}))})
    load_classifier(weights)
    assert not trap.path.exists()


@pytest.mark.parametrize("kind", ["weight", "constant", "opaque", "custom"])
def test_pickled_tensors_and_objects_do_not_run(weights: Path, tmp_path: Path, kind: str) -> None:
    trap = Trap(tmp_path / "ran")
    if kind == "weight":
        config = json.loads(record(weights, "data/weights/model_weights_config.json"))
        next(iter(config["config"].values()))["use_pickle"] = True
        changes = {"data/weights/model_weights_config.json": config, "data/weights/weight_0": saved(trap)}
    else:
        name = {"constant": "tensor_0", "opaque": "opaque_obj_0", "custom": "custom_obj_0"}[kind]
        meta = {"path_name": name, "is_param": False, "use_pickle": True, "tensor_meta": None}
        content = pickle.dumps(trap) if kind == "opaque" else saved(trap)
        changes = {
            "data/constants/model_constants_config.json": {"config": {"bait": meta}},
            f"data/constants/{name}": content,
        }
    rewrite(
        weights,
        {name: part if isinstance(part, bytes) else json.dumps(part).encode() for name, part in changes.items()},
    )
    with pytest.raises(ModelError, match="was not opened"):
        load_classifier(weights)
    assert not trap.path.exists()


def test_the_older_pickled_state_does_not_run(weights: Path, tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    rewrite(weights, {"data/weights/model.pt": saved({"x": trap}), "data/constants/model.pt": saved({"x": trap})})
    load_classifier(weights)
    assert not trap.path.exists()


def test_text_that_torch_would_turn_into_code_does_not_run(weights: Path, tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    original = record(weights, "models/model.json")
    call = f"exec({trap.code!r})"

    def size(content: dict[str, Any]) -> None:
        graph(content)["tensor_values"]["values"]["sizes"][0]["as_expr"]["expr_str"] = f"__import__('builtins').{call}"

    def operator(content: dict[str, Any]) -> None:
        graph(content)["nodes"][0]["target"] = "torch.os.system"

    def file_operator(content: dict[str, Any]) -> None:
        graph(content)["nodes"][0]["target"] = "torch.ops.aten.from_file.default"

    def attribute(content: dict[str, Any]) -> None:
        graph(content)["nodes"][0]["target"] = "torch.ops.aten.conv2d.__init__"

    def name(content: dict[str, Any]) -> None:
        content |= renamed(content, f"values=({call})")

    def argument(content: dict[str, Any]) -> None:
        content["graph_module"]["module_call_graph"][0]["signature"]["forward_arg_names"] = [f"values=({call})"]

    def tree(content: dict[str, Any]) -> None:
        signature = content["graph_module"]["module_call_graph"][0]["signature"]
        signature["out_spec"] = signature["out_spec"].replace("null", '"bait"', 1)

    def imports(content: dict[str, Any]) -> None:
        signature = content["graph_module"]["module_call_graph"][0]["signature"]
        context = json.dumps([{"__enum__": True, "fqn": "antigravity:x", "name": "y"}])
        leaf: dict[str, Any] = {"type": None, "context": None, "children_spec": []}
        signature["out_spec"] = json.dumps([1, {"type": "builtins.dict", "context": context, "children_spec": [leaf]}])

    def parameter(content: dict[str, Any]) -> None:
        content["graph_module"]["signature"]["input_specs"][0]["parameter"]["parameter_name"] = f"a'+{call}+'"

    for change in (size, operator, file_operator, attribute, name, argument, tree, imports, parameter):
        rewrite(weights, {"models/model.json": original})
        program(weights, change)
        with pytest.raises(ModelError) as caught:
            load_classifier(weights)
        assert "was not opened" in str(caught.value) and "\n" not in str(caught.value), change.__name__
        assert not trap.path.exists(), change.__name__

    def guard(content: dict[str, Any]) -> None:
        content["guards_code"] = [call]
        graph(content)["nodes"][0]["metadata"]["stack_trace"] = f"\n{call}"

    rewrite(weights, {"models/model.json": original})
    program(weights, guard)
    load_classifier(weights).predict(grey())
    assert not trap.path.exists()


def test_the_traps_are_armed(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    torch.load(io.BytesIO(saved(trap)), weights_only=False)
    assert trap.path.exists()


def test_sizes_are_sizes() -> None:
    assert _size("Symbol('s31', positive=True, integer=True)") and _size("2*s0 + ((s1 - 3)//4)") and _size("Max(1, s0)")
    for text in (
        "",
        "s0.__class__",
        "__import__('os')",
        "open('x')",
        "s0[0]",
        "lambda: 1",
        "eval('s0')",
        "'s0; x'",
        "1" * 3000,
    ):
        assert not _size(text), text


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nothing of the kind"])
def test_a_damaged_file_gets_one_sentence(weights: Path, content: bytes) -> None:
    weights.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_classifier(weights)
    assert "\n" not in str(caught.value) and "model.pt2" in str(caught.value)


def test_a_truncated_archive_and_a_foreign_one_get_one_sentence(weights: Path) -> None:
    whole = weights.read_bytes()
    rewrite(weights, {"models/model.json": None})
    with pytest.raises(ModelError, match=r"lacks models/model\.json"):
        load_classifier(weights)
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model\.pt2"):
        load_classifier(weights)
    weights.write_bytes(whole)
    rewrite(weights, {"models/model.json": b"{}"})
    with pytest.raises(ModelError, match="without its graph"):
        load_classifier(weights)


class Two(nn.Module):
    def forward(self, values: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return values.mean(dim=(2, 3)) + other.mean(dim=(2, 3))


class Varied(nn.Module):
    """Shapes, constants, no_grad and attention in one graph."""

    table: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.linspace(0, 1, 16).view(1, 16), persistent=False)
        self.mix = nn.MultiheadAttention(16, 2, batch_first=True)
        self.eval()

    def forward(self, values: torch.Tensor) -> dict[str, torch.Tensor] | tuple[torch.Tensor, torch.Tensor]:
        batch = values.shape[0]
        tokens = values.reshape(batch, -1, 16) + self.table
        with torch.no_grad():
            scale = tokens.abs().amax(dim=(1, 2), keepdim=True)
        tokens = tokens / (scale + torch.tensor(1e-3))
        mixed = self.mix(tokens, tokens, tokens, need_weights=False)[0]
        return mixed.mean(dim=1)[:, :2], tokens


def test_a_richer_graph_passes_the_screening(tmp_path: Path) -> None:
    write_card(tmp_path)
    network = Varied()
    classifier = load_classifier(export(network, tmp_path / "model.pt2"))
    values = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), network(values)[0], atol=1e-5)
    assert classifier.white_box


def test_a_program_of_two_inputs_is_refused(tmp_path: Path) -> None:
    write_card(tmp_path)
    values = torch.rand(1, 1, 32, 32)
    torch.export.save(torch.export.export(Two(), (values, values)), tmp_path / "model.pt2")
    with pytest.raises(ModelError, match="takes 2 inputs"):
        load_classifier(tmp_path / "model.pt2")


@pytest.mark.parametrize("network", [Small(), Varied()])
def test_the_program_goes_to_its_device(tmp_path: Path, network: nn.Module) -> None:
    card = read_card(write_card(tmp_path))
    source = Source(export(network, tmp_path / "model.pt2"), card, torch.device("meta"))
    opened = TorchExport()(source)
    assert isinstance(opened.network, nn.Module)
    answer: Any = opened.network(torch.rand(2, 1, 32, 32, device="meta"))
    assert (answer[0] if isinstance(answer, tuple) else answer).device.type == "meta"

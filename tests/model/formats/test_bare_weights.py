import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from napari_medadv.errors import CardError, ModelError
from napari_medadv.model import load_classifier
from tests.model.formats.bait import Trap
from tests.model.networks import Small, grey, write_card

nets = pytest.importorskip("monai.networks.nets")

ARGUMENTS: dict[str, Any] = {
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": 2,
    "init_features": 8,
    "growth_rate": 4,
    "block_config": [1, 1],
}
STEPS = '[[preprocess]]\nstep = "resize"\nsize = [32, 32]\n'
ARCHITECTURE = """
[architecture]
name = "DenseNet"
[architecture.arguments]
spatial_dims = 2
in_channels = 1
out_channels = 2
init_features = 8
growth_rate = 4
block_config = [1, 1]
"""


def dense(seed: int = 0, **changed: object) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found: nn.Module = nets.DenseNet(**(ARGUMENTS | changed)).eval()
    return found


def keep(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("wrap", ["", "state_dict", "model", "module.", "state_dict+model."])
def test_a_state_dict_fills_the_named_network(tmp_path: Path, wrap: str) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    network = dense()
    content: Mapping[str, object] = network.state_dict()
    outer, _, prefix = wrap.partition("+")
    prefix = outer if outer.endswith(".") else prefix
    content = {f"{prefix}{key}": value for key, value in content.items()}
    if outer and not outer.endswith("."):
        content = {outer: content, "epoch": 3}
    classifier = load_classifier(keep(content, tmp_path / "model.pth"))
    values = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), network(values), atol=1e-4)
    assert classifier.white_box and classifier.predict(grey()).slices is not None


def test_safetensors_fill_it_too(tmp_path: Path) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    network = dense()
    weights = {key: value.contiguous() for key, value in network.state_dict().items()}
    save_file(weights, tmp_path / "model.safetensors")
    classifier = load_classifier(tmp_path / "model.safetensors")
    values = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), network(values), atol=1e-4)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 50)
    with pytest.raises(ModelError, match="no intact safetensors"):
        load_classifier(tmp_path / "model.safetensors")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("suffix", ["pth", "pt", "ckpt", "bin"])
def test_a_pickle_never_runs(tmp_path: Path, suffix: str, legacy: bool) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    trap = Trap(tmp_path / "ran")
    path = tmp_path / f"model.{suffix}"
    torch.save({"state_dict": trap}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError) as caught:
        load_classifier(path)
    assert "no pickle is run" in str(caught.value) and "\n" not in str(caught.value) and not trap.path.exists()


def test_a_plain_pickle_and_rubbish_get_one_sentence(tmp_path: Path) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    path = tmp_path / "model.pkl"
    trap = Trap(tmp_path / "ran")
    for content in (pickle.dumps(trap), b"rubbish", b""):
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            load_classifier(path)
        assert "\n" not in str(caught.value) and not trap.path.exists()


def test_a_whole_pickled_module_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    with pytest.raises(ModelError) as caught:
        load_classifier(keep(Small(), tmp_path / "model.pt"))
    said = str(caught.value)
    assert (
        "tests.model.networks.Small" in said and "torch.export" in said and "state_dict()" in said and "\n" not in said
    )


def test_bare_weights_without_a_named_network_get_one_sentence(tmp_path: Path) -> None:
    write_card(tmp_path)
    with pytest.raises(CardError, match=r"add \[architecture\]"):
        load_classifier(keep(dense().state_dict(), tmp_path / "model.pth"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"DenseNet"', '"DensNet121"', "did you mean 'DenseNet121'"),
        ('"DenseNet"', '"Transchex"', "no classifier of MONAI"),
        ('"DenseNet"', '"__builtins__"', "no classifier of MONAI"),
        ("spatial_dims = 2", "spatial_dims = 2\nunheard_of = 1", "unheard_of"),
        ("spatial_dims = 2", "spatial_dims = 2\npretrained = true", "downloads"),
    ],
)
def test_a_wrong_architecture_gets_one_sentence(tmp_path: Path, old: str, new: str, words: str) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE.replace(old, new))
    with pytest.raises(CardError) as caught:
        load_classifier(keep(dense().state_dict(), tmp_path / "model.pth"))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def weights(**changed: Any) -> dict[str, Tensor]:
    return dict(dense(**changed).state_dict())


def test_weights_of_another_network_get_one_sentence(tmp_path: Path) -> None:
    write_card(tmp_path, STEPS + ARCHITECTURE)
    whole = weights()
    for content, words in (
        (weights(out_channels=5), "is (5,) in the file and (2,) in the network"),
        (whole | {"more.weight": torch.ones(3)}, "1 in the file are not its (more.weight)"),
        ({key: value for key, value in whole.items() if "class_layers" not in key}, "not in the file"),
        ({}, "no weights by name"),
        ([1, 2], "no weights by name"),
    ):
        with pytest.raises(ModelError) as caught:
            load_classifier(keep(content, tmp_path / "model.pth"))
        assert words in str(caught.value) and "\n" not in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resnet10", "spatial_dims = 2\nn_input_channels = 1\nnum_classes = 2\n"),
        ("EfficientNetBN", 'model_name = "efficientnet-b0"\nspatial_dims = 2\nin_channels = 1\nnum_classes = 2\n'),
        (
            "ViT",
            "in_channels = 1\nimg_size = [32, 32]\npatch_size = [16, 16]\nhidden_size = 24\nmlp_dim = 32\nnum_layers = 1\nnum_heads = 2\n"
            'classification = true\nnum_classes = 2\nspatial_dims = 2\npost_activation = "none"\n',
        ),
    ],
)
def test_other_networks_of_monai(tmp_path: Path, name: str, arguments: str) -> None:
    if name == "ViT":
        pytest.importorskip("einops")
    write_card(tmp_path, f'{STEPS}[architecture]\nname = "{name}"\n[architecture.arguments]\n{arguments}')
    import tomllib

    given = tomllib.loads(arguments)
    if name == "EfficientNetBN":
        given["pretrained"] = False
    network = getattr(nets, name)(**given).eval()
    classifier = load_classifier(keep(network.state_dict(), tmp_path / "model.pth"))
    values = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        wanted = network(values)
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), wanted, atol=1e-4)


def test_the_trap_is_armed(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "ran")
    buffer = io.BytesIO()
    torch.save(trap, buffer)
    buffer.seek(0)
    torch.load(buffer, weights_only=False)
    assert trap.path.exists()

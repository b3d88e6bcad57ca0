import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from napari_medadv.errors import ModelError
from napari_medadv.model import load_classifier
from tests.model.networks import Small, grey, write_card

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def save(network: nn.Module, path: Path, *, free: bool) -> Path:
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.rand(2 if free else 1, 1, 32, 32),),
            path,
            dynamic_shapes=shapes,
            external_data=False,
            verbose=False,
        )
    return path


@pytest.mark.parametrize("free", [True, False])
def test_it_answers_queries_as_the_network(tmp_path: Path, free: bool) -> None:
    write_card(tmp_path)
    classifier = load_classifier(save(Small(), tmp_path / "model.onnx", free=free))
    values = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), Small()(values), atol=1e-4)
    assert not classifier.white_box and any("queries only" in fact for fact in classifier.facts)
    assert classifier.predict(grey(slices=5)).slices is not None


def test_a_damaged_file_and_a_wrong_size_get_one_sentence(tmp_path: Path) -> None:
    path = save(Small(), tmp_path / "model.onnx", free=True)
    write_card(tmp_path, '[[preprocess]]\nstep = "resize"\nsize = [40, 40]\n')
    with pytest.raises(ModelError, match="refuses the input of shape") as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot read") as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    write_card(tmp_path)
    capfd.readouterr()
    for content in (b"", b"\x08\x07\xff\xff", b"onnx" * 50):
        path.write_bytes(content)
        with pytest.raises(ModelError):
            load_classifier(path)
    assert capfd.readouterr() == ("", "")


def test_the_digest_covers_weights_in_a_file_beside(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    write_card(tmp_path)
    path = save(Small(), tmp_path / "model.onnx", free=True)
    alone = load_classifier(path).sha256
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="model.onnx.data", size_threshold=64)
    first, weights = load_classifier(path), tmp_path / "model.onnx.data"
    assert load_classifier(path).sha256 == first.sha256 != alone
    weights.write_bytes(bytes(byte ^ 1 if place % 4 == 1 else byte for place, byte in enumerate(weights.read_bytes())))
    assert load_classifier(path).sha256 != first.sha256
    weights.unlink()
    with pytest.raises(ModelError, match=r"another file 'model\.onnx\.data'"):
        load_classifier(path)

import sys
from pathlib import Path

import pytest
import torch

from napari_medadv.errors import CardError, ModelError
from napari_medadv.model import load_classifier
from tests.model.networks import Small, write_card

CODE = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
from tests.model.networks import Small

def make():
    return Small()

def wrong():
    return 3

def fails():
    raise RuntimeError("no weights here")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "medadv_factory_of_a_test.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "medadv_factory_of_a_test", raising=False)
    write_card(tmp_path)
    return tmp_path


def test_code_runs_only_when_it_is_trusted(folder: Path) -> None:
    name, card = "medadv_factory_of_a_test:make", folder / "model.toml"
    with pytest.raises(ModelError, match="trust_code=True"):
        load_classifier(name, card)
    assert not (folder / "ran").exists()
    classifier = load_classifier(name, card, trust_code=True)
    values = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values), Small()(values), atol=1e-4)
    assert (folder / "ran").exists() and len(classifier.sha256) == 64
    write_card(folder, weights=f'"{name}"')
    with pytest.raises(ModelError, match="trust_code=True"):
        load_classifier(folder)
    assert load_classifier(folder, trust_code=True).sha256 == classifier.sha256


@pytest.mark.parametrize(
    ("name", "words"), [("wrong", "returned a int"), ("fails", "no weights here"), ("absent", "AttributeError")]
)
def test_a_factory_that_makes_no_network_gets_one_sentence(folder: Path, name: str, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_classifier(f"medadv_factory_of_a_test:{name}", folder / "model.toml", trust_code=True)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="PYTHONPATH"):
        load_classifier("medadv_module_that_is_not_there:make", folder / "model.toml", trust_code=True)
    with pytest.raises(CardError, match="name its card"):
        load_classifier("medadv_factory_of_a_test:make", trust_code=True)

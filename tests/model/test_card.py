from pathlib import Path

import pytest

from napari_medadv.errors import CardError, ModelError
from napari_medadv.model.card import Architecture, Card, read_card
from napari_medadv.model.place import is_factory, place
from napari_medadv.model.preprocess.resize import Resize
from napari_medadv.model.preprocess.window import Window
from tests.model.networks import write_card

WHOLE = """
name = "Nodules"
description = "of phantoms"
weights = "nodules.pt2"
labels = ["nodule"]
activation = "sigmoid"
output = "logits"
unit = "HU"
reads = "slices"
pooling = "mean"
input = [1, 224, 224]
[thresholds]
nodule = 0.4
[[preprocess]]
step = "window"
center = -600
width = 1500
[[preprocess]]
step = "resize"
size = [224, 224]
[architecture]
name = "DenseNet121"
[architecture.arguments]
spatial_dims = 2
"""


def test_the_whole_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(WHOLE)
    card = read_card(path)
    assert card == Card(
        labels=("nodule",),
        activation="sigmoid",
        unit="HU",
        name="Nodules",
        description="of phantoms",
        weights="nodules.pt2",
        pooling="mean",
        input=(1, 224, 224),
        thresholds={"nodule": 0.4},
        preprocess=(Window(-600.0, 1500.0), Resize((224, 224))),
        architecture=Architecture("DenseNet121", {"spatial_dims": 2}),
    )
    assert card.findings.threshold("nodule") == 0.4


@pytest.mark.parametrize(
    ("keys", "steps", "words"),
    [
        ({"lables": '["a"]'}, "", ["unknown key 'lables'", "did you mean 'labels'"]),
        ({"labels": ""}, "", ["lacks the key 'labels'", "a list of texts"]),
        ({"labels": '"a"'}, "", ["labels = 'a'", "a list of texts is expected"]),
        ({"labels": "[]"}, "", ["at least one label"]),
        ({"labels": '["a"]'}, "", ["softmax needs at least two labels", "sigmoid"]),
        ({"activation": '"softmx"'}, "", ["activation = 'softmx'", "did you mean 'softmax'"]),
        ({"unit": '"hu"'}, "", ["unit = 'hu'", "did you mean 'HU'"]),
        ({"unit": '"pixels"'}, "", ["unit = 'pixels'", "'presentation value'"]),
        ({"reads": '"volumes"'}, "", ["did you mean 'volume'"]),
        ({"pooling": "3"}, "", ["pooling = 3", "'max' or 'mean'"]),
        ({"input": "[1, 2]"}, "", ["[channel, y, x]"]),
        ({"input": "[1, 2.5, 3]"}, "", ["a list of whole numbers"]),
        ({"name": "true"}, "", ["name = True", "a text"]),
        ({"preprocess": "3"}, " ", ["[[preprocess]] tables are expected"]),
        ({}, "[thresholds]\nnodul = 0.5", ["names 'nodul'", "no label"]),
        ({}, "[thresholds]\na = 5", ["'a' is 5", "below 1"]),
        ({}, '[thresholds]\na = "half"', ["thresholds", "a table of numbers"]),
        ({}, '[[preprocess]]\nstep = "flip"\naxes = "x"', ["axes = 'x'", "a list of 'z' or 'y' or 'x'"]),
        ({}, "[[preprocess]]\ncenter = 5", ["Step 1", "lacks the key 'step'"]),
        ({}, '[[preprocess]]\nstep = "resise"', ["Step 1", "did you mean 'resize'"]),
        ({}, '[[preprocess]]\nstep = "resample"', ["which is no step"]),
        ({}, '[[preprocess]]\nstep = "os:system"', ["which is no step"]),
        (
            {},
            '[[preprocess]]\nstep = "window"\ncenter = 5\nwidht = 3',
            ["Step 1 (window)", "'widht'", "did you mean 'width'"],
        ),
        ({}, '[[preprocess]]\nstep = "window"\ncenter = 5', ["lacks the key 'width'", "a number"]),
        ({}, '[[preprocess]]\nstep = "window"\ncenter = "lung"\nwidth = 1', ["center = 'lung'", "a number"]),
        ({}, '[[preprocess]]\nstep = "window"\ncenter = 5\nwidth = -1', ["width is -1", "above 0"]),
        ({}, '[[preprocess]]\nstep = "resize"\nsize = [1, 2, 3, 4]', ["size is [1, 2, 3, 4]"]),
        ({}, '[[preprocess]]\nstep = "rescale"\nsource = [1, 2, 3]', ["a list of 2 numbers"]),
        ({}, '[[preprocess]]\nstep = "flip"\naxes = ["w"]', ["axes = ['w']"]),
        (
            {},
            '[[preprocess]]\nstep = "layout"\naxes = ["y", "x", "channel"]\n[[preprocess]]\nstep = "repeat"',
            ["not the last"],
        ),
        ({}, "[architecture]\nname = 3", ["[architecture]", "name = 3"]),
        ({}, '[architecture]\nnme = "x"', ["unknown key 'nme'", "'name'"]),
        ({"architecture": '"DenseNet121"'}, " ", ["a table is expected"]),
    ],
)
def test_a_wrong_card_gets_one_sentence(tmp_path: Path, keys: dict[str, str], steps: str, words: list[str]) -> None:
    path = write_card(tmp_path, steps, **keys)
    with pytest.raises(CardError) as caught:
        read_card(path)
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert "\n" not in said and said.endswith(".") and "model.toml" in said


def test_a_file_that_is_no_toml_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    for content in (b"labels = [", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(CardError, match="no TOML"):
            read_card(path)
    with pytest.raises(CardError, match="cannot be read"):
        read_card(tmp_path / "none.toml")


def test_card_and_weights_find_each_other(tmp_path: Path) -> None:
    weights = tmp_path / "net.pt2"
    weights.write_bytes(b"")
    with pytest.raises(CardError, match=r"write net\.toml or model\.toml"):
        place(weights)
    card = write_card(tmp_path)
    assert place(weights)[0] == weights
    assert place(weights, card)[0] == weights
    with pytest.raises(ModelError, match="names no weights"):
        place(card)
    write_card(tmp_path, weights='"net.pt2"')
    assert place(card)[0] == place(tmp_path)[0] == tmp_path / "net.pt2"
    write_card(tmp_path, weights='"gone.pt2"')
    with pytest.raises(ModelError, match=r"gone\.pt2"):
        place(card)
    own = tmp_path / "net.toml"
    card.rename(own)
    own.write_text(own.read_text().replace('weights = "gone.pt2"\n', 'name = "own"\n'))
    assert place(own)[0] == weights and place(weights)[1].name == "own"


def test_a_factory_is_no_path(tmp_path: Path) -> None:
    assert is_factory("package.module:make")
    assert not is_factory("C:\\models\\net.pt2") and not is_factory("model.pt2") and not is_factory(Path("a:b"))
    with pytest.raises(CardError, match="name its card"):
        place("package.module:make")
    assert place("package.module:make", write_card(tmp_path))[0] == "package.module:make"
    assert place(write_card(tmp_path, weights='"package.module:make"'))[0] == "package.module:make"
    with pytest.raises(ModelError, match="no file"):
        place(tmp_path / "none.pt2")

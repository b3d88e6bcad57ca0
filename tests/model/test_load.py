from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.errors import CardError, MedAdvError, ModelError
from napari_medadv.model import attach, load_classifier
from napari_medadv.model.card import card
from napari_medadv.threat import Confuse, Linf, Threat
from napari_medadv.volume import Volume
from tests.model.networks import Small, export, grey, photograph, radiograph, write_card

WINDOW = {"step": "window", "center": 0, "width": 2000}
RESIZE = {"step": "resize", "size": [24, 24]}


class After(nn.Module):
    """A network with something done to its answer."""

    def __init__(self, inner: nn.Module, after: Any) -> None:
        super().__init__()
        self.inner, self.after = inner, after

    def forward(self, values: Tensor) -> Any:
        return self.after(self.inner(values))


def said(**more: Any) -> dict[str, Any]:
    return {"labels": ["a", "b"], "activation": "softmax", "unit": "HU", "preprocess": [WINDOW, RESIZE]} | more


def sentence(found: pytest.ExceptionInfo[MedAdvError]) -> str:
    text = str(found.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 420, text
    return text


def flipped(classifier: Any, volume: Volume, epsilon: float) -> bool:
    found = perturb(classifier, volume, Threat(Confuse(), Linf(epsilon)), PGD(steps=20))
    assert found.gradients > 0
    return not np.array_equal(found.adversarial.voxels, volume.voxels)


def test_a_slice_classifier_is_read_predicted_and_attacked(tmp_path: Path) -> None:
    write_card(tmp_path)
    classifier = load_classifier(export(Small(), tmp_path / "model.pt2"))
    volume = grey()
    prediction = classifier.predict(volume)
    assert prediction.slices is not None and prediction.slices.shape == (3, 2)
    values = torch.from_numpy(volume.values()).unsqueeze(1)
    for step in classifier.steps:
        values = step(values)
    with torch.no_grad():
        wanted = Small()(values).softmax(dim=1)
    assert np.allclose(prediction.slices, wanted.numpy(), atol=1e-5)
    assert flipped(classifier, volume, 40)


def test_a_volume_classifier() -> None:
    steps = [WINDOW, {"step": "resize", "size": [12, 20, 20]}]
    classifier = attach(Small(axes=3), **said(reads="volume", preprocess=steps))
    prediction = classifier.predict(grey(slices=9))
    assert prediction.slices is None and prediction.probabilities.sum() == pytest.approx(1)
    assert classifier.channels == 1 and flipped(classifier, grey(slices=9), 40)


def test_a_colour_classifier() -> None:
    steps = [{"step": "rescale", "source": [0, 255]}, {"step": "standardise", "mean": [0.5, 0.4, 0.3], "std": 0.2}]
    classifier = attach(Small(channels=3), **said(unit="level", preprocess=steps))
    assert classifier.channels == 3
    assert classifier.predict(photograph()).probabilities.sum() == pytest.approx(1)
    assert flipped(classifier, photograph(), 8)
    with pytest.raises(ModelError, match="reads colour images of 3 channels, and this series is grey with 1"):
        classifier.predict(radiograph())


def test_a_network_made_for_colour_reads_grey_by_repeating() -> None:
    classifier = attach(Small(channels=3), **said(preprocess=[WINDOW, RESIZE, {"step": "repeat", "channels": 3}]))
    assert classifier.channels == 1 and classifier.predict(grey()).slices is not None
    with pytest.raises(ModelError, match="holds level"):
        classifier.predict(photograph())


def test_channels_last_networks_take_the_layout_step() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Small(channels=3)

        def forward(self, values: Tensor) -> Tensor:
            found: Tensor = self.inner(values.permute(0, 3, 1, 2))
            return found

    steps = [RESIZE, {"step": "channels", "order": [2, 1, 0]}, {"step": "layout", "axes": ["y", "x", "channel"]}]
    classifier = attach(Turned(), **said(unit="level", preprocess=steps))
    assert classifier.channels == 3 and classifier.predict(photograph()).slices is not None


@pytest.mark.parametrize("answer", ["column", "flat"])
def test_a_single_logit(answer: str) -> None:
    network: nn.Module = Small(labels=1)
    if answer == "flat":
        network = After(network, lambda logits: logits.squeeze(1))
    classifier = attach(network, **said(labels=["nodule"], activation="sigmoid", thresholds={"nodule": 0.3}))
    prediction = classifier.predict(grey())
    assert prediction.probabilities.shape == (1,) and classifier.findings.threshold("nodule") == 0.3
    assert flipped(classifier, grey(), 60)


def test_many_labels_with_a_sigmoid_each() -> None:
    labels = ["a", "b", "c"]
    classifier = attach(Small(labels=3), **said(labels=labels, activation="sigmoid"))
    logits = Small(labels=3)(torch.rand(2, 1, 24, 24))
    assert classifier.probabilities(logits) == pytest.approx(logits.detach().sigmoid().numpy(), abs=1e-6)
    assert flipped(classifier, grey(), 60)


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_softmax_answers_are_recognised_and_turned_back(output: str) -> None:
    network = After(Small(), lambda logits: logits.softmax(dim=1))
    classifier = attach(network, **said(output=output))
    assert any("softmax probabilities" in fact for fact in classifier.facts)
    plain = attach(Small(), **said())
    assert not plain.facts
    assert classifier.predict(grey()).slices == pytest.approx(plain.predict(grey()).slices, abs=1e-5)


def test_sigmoid_answers_are_recognised_and_turned_back() -> None:
    keys = said(labels=["a", "b"], activation="sigmoid")
    plain = attach(Small(), **keys)
    for output in ("logits", "probabilities"):
        classifier = attach(After(Small(), torch.sigmoid), **keys, output=output)
        assert any("sigmoid probabilities" in fact for fact in classifier.facts)
        assert classifier.predict(grey()).slices == pytest.approx(plain.predict(grey()).slices, abs=1e-4)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("form", ["function", "method", "module", "exported"])
def test_saturated_probabilities_keep_their_gradient(tmp_path: Path, activation: str, form: str) -> None:
    ends: dict[str, Any] = {
        "function": (lambda logits: torch.softmax(50 * logits, dim=1))
        if activation == "softmax"
        else (lambda logits: torch.sigmoid(500 * logits)),
        "method": (lambda logits: (50 * logits).softmax(1))
        if activation == "softmax"
        else (lambda logits: (500 * logits).sigmoid()),
    }
    plain = After(Small(), lambda logits: (50 if activation == "softmax" else 500) * logits)
    network: nn.Module = After(Small(), ends.get(form, ends["function"]))
    if form == "module":
        network = nn.Sequential(plain, nn.Softmax(dim=1) if activation == "softmax" else nn.Sigmoid())
    if form == "exported":
        write_card(tmp_path, activation=f'"{activation}"')
        classifier = load_classifier(export(network, tmp_path / "model.pt2"))
    else:
        classifier = attach(network, **said(activation=activation))
    values = torch.rand(3, 1, 32, 32, requires_grad=True)
    logits = classifier.network(values)
    with torch.no_grad():
        assert torch.allclose(logits, plain(values), atol=1e-2)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), values)
    assert (gradient.abs().amax(dim=(1, 2, 3)) > 0).all()
    assert any(f"{activation} probabilities" in fact for fact in classifier.facts)


def test_small_logits_are_no_probabilities() -> None:
    network = After(Small(labels=1), lambda logits: 0.4 + 0.1 * torch.tanh(logits))
    classifier = attach(network, **said(labels=["a"], activation="sigmoid"))
    assert classifier.predict(grey()).probabilities[0] > 0.5
    assert len(classifier.facts) == 1 and "taken for logits" in classifier.facts[0]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_that_are_none_get_one_sentence(activation: str) -> None:
    with pytest.raises(CardError) as caught:
        attach(Small(), **said(activation=activation, output="probabilities"))
    assert "output = 'logits'" in sentence(caught)


@pytest.mark.parametrize(
    ("network", "keys", "words"),
    [
        (Small(labels=3), {}, "answers 3 numbers to one input, and the card names 2 labels"),
        (Small(channels=3), {}, "reads 3 channels, but its card's steps give 1: add a `repeat` step with channels = 3"),
        (Small(), {"preprocess": [{"step": "repeat"}]}, "reads 1 channels, but its card's steps give 3"),
        (Small(axes=3), {}, "refuses the input of shape [1, 24, 24]"),
        (nn.Sequential(nn.Flatten(), nn.Linear(900, 2)), {"preprocess": []}, "add a `resize` step, or the key `input`"),
        (nn.Sequential(nn.Flatten(), nn.Linear(900, 2)), {}, "correct sizes, channels or `reads`"),
        (Small(), {"input": [1, 30, 30]}, "input = [1, 30, 30], but its steps give [1, 24, 24]"),
        (After(Small(), lambda logits: logits * torch.nan), {}, "NaN or infinity to an ordinary input"),
        (After(Small(), lambda logits: logits / 0), {}, "NaN or infinity"),
        (After(Small(), lambda logits: {"logits": logits}), {}, "answers a dict"),
        (After(Small(), lambda logits: logits.argmax(dim=1)), {}, "without arg max"),
        (After(Small(), lambda logits: logits + torch.rand_like(logits)), {}, "differently each time"),
        (After(Small(), lambda logits: logits - logits.mean(dim=0)), {}, "in other company"),
        (After(Small(), lambda logits: logits.unsqueeze(2).unsqueeze(3)), {}, "correct `labels`"),
    ],
)
def test_a_network_that_does_not_do_what_its_card_says(network: nn.Module, keys: dict[str, Any], words: str) -> None:
    with pytest.raises(MedAdvError) as caught:
        attach(network, **said(**keys))
    assert words in sentence(caught), str(caught.value)


def test_the_key_input_tells_the_size_of_a_network_without_steps() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(900, 2))
    assert attach(network, **said(preprocess=[], input=[1, 30, 30])).channels == 1


def test_a_tuple_answers_with_its_first_tensor() -> None:
    classifier = attach(After(Small(), lambda logits: (logits, [logits, logits])), **said())
    assert classifier.network(torch.rand(2, 1, 24, 24)).shape == (2, 2)


def test_no_gradient_makes_it_query_only() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Small()

        def forward(self, values: Tensor) -> Tensor:
            with torch.no_grad():
                found: Tensor = self.inner(values)
            return found

    classifier = attach(Detached(), **said())
    assert not classifier.white_box and any("queries only" in fact for fact in classifier.facts)


def test_nan_on_a_series_gets_one_sentence() -> None:
    network = Small()
    classifier = attach(network, **said(preprocess=[RESIZE]))
    network.head.bias.data.fill_(torch.nan)
    assert classifier.predict(grey()).probabilities.sum() > 0
    with torch.no_grad():
        object.__setattr__(classifier, "network", network)
    with pytest.raises(ModelError, match="NaN or infinity on this series"):
        classifier.predict(grey())


def test_a_radiograph_reaches_the_network_as_it_is_displayed() -> None:
    steps = [{"step": "resize", "size": 32}]
    classifier = attach(Small(), **said(unit="presentation value", preprocess=steps))
    first = classifier.predict(radiograph())
    voxels = 4095 - radiograph().voxels
    turned = Volume(voxels, np.eye(4), radiograph().scale, radiograph().windows, photometric="MONOCHROME1")
    assert classifier.predict(turned).probabilities == pytest.approx(first.probabilities, abs=1e-3)


def test_an_unknown_file_and_device_get_one_sentence(tmp_path: Path) -> None:
    write_card(tmp_path)
    (tmp_path / "model.h5").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"ONNX \(\.onnx\)") as caught:
        load_classifier(tmp_path / "model.h5")
    sentence(caught)
    for device, words in (("gpu", "no device"), ("cuda", "no CUDA device")):
        if device == "cuda" and torch.cuda.is_available():
            continue
        with pytest.raises(ModelError, match=words) as caught:
            load_classifier(export(Small(), tmp_path / "model.pt2"), device=device)
        sentence(caught)


def test_a_card_may_be_given_whole() -> None:
    whole = card(said())
    assert attach(Small(), whole).findings == whole.findings
    assert attach(Small(), whole).sha256 == attach(Small(), whole).sha256 != attach(Small(seed=1), whole).sha256


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_it_answers_the_same(tmp_path: Path) -> None:
    write_card(tmp_path)
    path = export(Small(), tmp_path / "model.pt2")
    here, there = (load_classifier(path, device=device).predict(grey()) for device in ("cpu", "cuda"))
    assert here.slices == pytest.approx(there.slices, abs=1e-3)

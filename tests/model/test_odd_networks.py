"""Networks as people write them: answers that lost an axis, inputs that are written over, sentences of their own."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.errors import ModelError
from napari_medadv.model import attach, load_classifier
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake
from tests.model.networks import Small, export, grey, photograph, radiograph, write_card

STEPS = '[[preprocess]]\nstep = "resize"\nsize = [32, 32]\n'
PLAIN: dict[str, Any] = {"labels": ["a"], "activation": "sigmoid", "unit": "presentation value"}


class Squeezed(Small):
    """Its answer to one input has lost the axis of the batch."""

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values).squeeze()


class Writing(Small):
    """It normalises its input in place."""

    def forward(self, values: Tensor) -> Tensor:
        values -= 0.5
        values /= 0.25
        return super().forward(values)


class Apart(Small):
    """The same, elsewhere."""

    def forward(self, values: Tensor) -> Tensor:
        return super().forward((values - 0.5) / 0.25)


class Choosy(Small):
    """It asserts its size, as vision transformers do."""

    def forward(self, values: Tensor) -> Tensor:
        assert values.shape[-1] == 32, "Wrong image width"
        return super().forward(values)


class Normalised(nn.Module):
    """A sigmoid behind a layer norm: its probabilities never come near 0 or 1, however large the input."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.first, self.norm, self.head = nn.Conv2d(1, 8, 8, stride=8), nn.LayerNorm(8), nn.Linear(8, 2)
            with torch.no_grad():
                self.head.bias.copy_(torch.tensor([-1.5, -2.0]))
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        tokens = self.first(values).flatten(2).transpose(1, 2)
        return torch.sigmoid(self.head(self.norm(tokens).mean(dim=1)))


def gradient(classifier: Classifier, values: Tensor) -> Tensor:
    inputs = values.clone().requires_grad_(True)
    logits = classifier.logits(inputs, Intake(torch.ones(1), torch.zeros(1)))
    return torch.autograd.grad(logits.sum(), inputs)[0]


@pytest.mark.parametrize("labels", [1, 2])
@pytest.mark.parametrize("batch", [None, 1])
def test_an_answer_that_lost_an_axis_is_read(tmp_path: Path, labels: int, batch: int | None) -> None:
    names = '["a", "b"]' if labels == 2 else '["a"]'
    write_card(tmp_path, labels=names, activation='"sigmoid"')
    classifier = load_classifier(export(Squeezed(labels=labels), tmp_path / "model.pt2", batch=batch))
    usual = load_classifier(export(Small(labels=labels), tmp_path / "model.pt2"))
    for slices in (1, 3):
        found, wanted = (each.predict(grey(slices=slices)).slices for each in (classifier, usual))
        assert found is not None and found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("file", [False, True])
def test_a_network_that_writes_over_its_input_gets_a_copy(tmp_path: Path, file: bool) -> None:
    write_card(tmp_path, STEPS, labels='["a"]', activation='"sigmoid"', unit='"presentation value"')
    network = Writing(labels=1)
    classifier = load_classifier(export(network, tmp_path / "model.pt2")) if file else attach(network, **PLAIN)
    usual = attach(Apart(labels=1), **PLAIN)
    values = torch.rand(2, 1, 1, 32, 32)
    before = values.clone()
    assert torch.allclose(gradient(classifier, values), gradient(usual, values), atol=1e-6)
    with torch.no_grad():
        asked = classifier.network(values[:, :, 0])
    assert torch.equal(values, before) and torch.allclose(asked, usual.network(values[:, :, 0]), atol=1e-4)
    assert classifier.white_box and not classifier.facts


def test_what_a_network_asserts_is_a_sentence() -> None:
    with pytest.raises(ModelError, match=r"AssertionError: Wrong image width") as caught:
        attach(Choosy(labels=1), **PLAIN)
    assert "\n" not in str(caught.value)
    classifier = attach(Choosy(labels=1), **PLAIN, input=[1, 32, 32])
    with pytest.raises(ModelError, match="refuses an input of shape"):
        classifier.predict(radiograph())


@pytest.mark.parametrize("file", [False, True])
def test_a_sigmoid_at_the_end_is_seen_where_its_answers_do_not_show_it(tmp_path: Path, file: bool) -> None:
    write_card(tmp_path, STEPS, activation='"sigmoid"', unit='"presentation value"')
    said = PLAIN | {"labels": ["a", "b"], "preprocess": [{"step": "resize", "size": [32, 32]}]}
    network = Normalised()
    classifier = load_classifier(export(network, tmp_path / "model.pt2")) if file else attach(network, **said)
    values = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier.network(values).sigmoid(), network(values), atol=1e-5)
    assert classifier.predict(radiograph()).present == () and "sigmoid probabilities" in classifier.facts[0]


def test_answers_from_0_to_1_of_which_nobody_knows_are_told(tmp_path: Path) -> None:
    write_card(tmp_path, STEPS, activation='"sigmoid"', unit='"presentation value"')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Normalised()).save(str(tmp_path / "model.pt"))  # type: ignore[no-untyped-call]
    (fact,) = load_classifier(tmp_path).facts
    assert "output = 'probabilities'" in fact


def test_a_classifier_that_makes_grey_of_colour_reads_both() -> None:
    said = PLAIN | {"unit": "level", "preprocess": [{"step": "grey"}, {"step": "rescale", "source": [0, 255]}]}
    classifier = attach(Small(labels=1), **said)
    values = torch.from_numpy(photograph().values()).movedim(3, 1)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    with torch.no_grad():
        wanted = Small(labels=1)((values * weights).sum(dim=1, keepdim=True) / 255).sigmoid()
    assert classifier.predict(photograph())["a"] == pytest.approx(float(wanted), abs=1e-5)
    assert classifier.predict(radiograph()).slices is not None


def test_the_size_of_an_input_is_read_in_the_order_of_its_layout() -> None:
    class Last(Choosy):
        def forward(self, values: Tensor) -> Tensor:
            return super().forward(values.permute(0, 3, 1, 2))

    layout = [{"step": "layout", "axes": ["y", "x", "channel"]}]
    assert attach(Last(labels=1), **PLAIN, preprocess=layout, input=[32, 32, 1]).white_box


@pytest.mark.parametrize("device", ["mps", "meta", "xla"])
def test_a_device_of_another_kind_is_refused(device: str) -> None:
    with pytest.raises(ModelError, match="'cpu' or 'cuda'"):
        attach(Small(labels=1), **PLAIN, device=device)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(ModelError, match=r"nn\.Module is expected"):
        attach(lambda values: values, **PLAIN)  # type: ignore[arg-type]


def test_the_digest_knows_buffers_that_are_not_saved() -> None:
    class Centred(Small):
        def __init__(self, mean: float) -> None:
            super().__init__(labels=1)
            self.register_buffer("mean", torch.tensor(mean), persistent=False)

    found = [attach(Centred(mean), **PLAIN).sha256 for mean in (0.0, 0.5, 0.5)]
    assert found[0] != found[1] == found[2]

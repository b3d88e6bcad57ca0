import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_medadv.catalogue import entry, names
from napari_medadv.errors import ModelError
from napari_medadv.model.card import STEPS
from napari_medadv.model.classifier import Step
from napari_medadv.model.preprocess.channels import Channels
from napari_medadv.model.preprocess.crop import Crop
from napari_medadv.model.preprocess.flip import Flip
from napari_medadv.model.preprocess.grey import Grey
from napari_medadv.model.preprocess.layout import Layout
from napari_medadv.model.preprocess.lookup import Lookup
from napari_medadv.model.preprocess.pad import Pad
from napari_medadv.model.preprocess.repeat import Repeat
from napari_medadv.model.preprocess.resample import resample, triangle
from napari_medadv.model.preprocess.rescale import Rescale
from napari_medadv.model.preprocess.resize import Resize
from napari_medadv.model.preprocess.standardise import Standardise
from napari_medadv.model.preprocess.standardise_image import StandardiseImage
from napari_medadv.model.preprocess.voi import Voi
from napari_medadv.model.preprocess.window import Window

SLICE: dict[str, tuple[Step, int]] = {
    "channels": (Channels((2, 0)), 3),
    "crop": (Crop((4, 3)), 1),
    "flip": (Flip(("y",)), 1),
    "grey": (Grey(), 3),
    "layout": (Layout(("y", "x", "channel")), 1),
    "lookup": (Lookup(-2, (0, 10, 40, 90), 90), 1),
    "pad": (Pad((9, 10), value=-1), 1),
    "repeat": (Repeat(3), 1),
    "rescale": (Rescale((-2, 2), (0, 255)), 1),
    "resize": (Resize((3, 9)), 1),
    "standardise": (Standardise((0.1, 0.2, 0.3), 2.0), 3),
    "standardise_image": (StandardiseImage(), 1),
    "voi": (Voi((0.3, 0.0), (9.0, 2.0), "SIGMOID"), 1),
    "window": (Window(0, 20), 1),
}
VOLUME: dict[str, tuple[Step, int]] = SLICE | {
    "crop": (Crop((2, 4, 3), start=(1, 0, 2)), 1),
    "flip": (Flip(("z", "x")), 1),
    "layout": (Layout(("channel", "x", "y", "z")), 1),
    "pad": (Pad((6, 9, 10)), 1),
    "resize": (Resize((3, 9, 4)), 1),
}


def image(channels: int, axes: int) -> Tensor:
    shape = (2, channels, *(5, 6, 7)[-axes:])
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_every_step_of_the_folder_is_tried_here() -> None:
    assert set(names(STEPS)) == set(SLICE)
    for name, (step, _) in SLICE.items():
        assert isinstance(step, entry(name, STEPS))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("name", sorted(SLICE))
def test_gradients_pass_and_settings_are_a_frozen_record(name: str, axes: int) -> None:
    step, channels = (SLICE if axes == 2 else VOLUME)[name]
    with pytest.raises(dataclasses.FrozenInstanceError):
        vars(type(step))["__setattr__"](step, dataclasses.fields(step)[0].name, None)  # type: ignore[arg-type]
    values = image(channels, axes).requires_grad_(True)
    before = values.detach().clone()
    out = step(values)
    assert out.shape[0] == 2 and out.dtype == values.dtype
    assert torch.autograd.gradcheck(step, (values,))
    assert torch.equal(values.detach(), before)
    single = torch.cat([step(values[:1]), step(values[1:])])
    assert torch.allclose(out, single)


@pytest.mark.parametrize("name", sorted(SLICE))
def test_single_precision_stays_single(name: str) -> None:
    step, channels = SLICE[name]
    assert step(image(channels, 2).float()).dtype == torch.float32


def test_window_and_rescale_give_the_numbers_of_their_definition() -> None:
    values = torch.tensor([-2000.0, -1350.0, -600.0, 150.0, 900.0]).view(1, 1, 1, -1)
    assert torch.allclose(Window(-600, 1500)(values).flatten(), torch.tensor([0, 0, 0.5, 1, 1]))
    assert torch.allclose(Rescale((-1000, 1000), (1, -1))(values).flatten()[[0, 2]], torch.tensor([2.0, 0.6]))
    clipped = Rescale((-1000, 1000), (1, -1), outside="clip")(values).flatten()
    assert clipped.max() == 1 and clipped.min() == pytest.approx(-0.9)


def test_voi_gives_the_numbers_of_dicom() -> None:
    values = torch.tensor([-0.5, 0.0, 127.5, 255.0, 300.0]).view(1, 1, 1, -1)
    assert torch.allclose(Voi(128, 256)(values).flatten(), torch.tensor([0, 0, 127.5 / 255, 1, 1]))
    assert torch.allclose(
        Voi(128, 256, "LINEAR_EXACT")(values).flatten()[1:4], torch.tensor([0, 127.5 / 256, 255 / 256])
    )
    sigmoid = Voi((127.5, 0.0), (510.0, 4.0), "SIGMOID")(values)
    assert sigmoid.shape == (1, 2, 1, 5) and torch.allclose(sigmoid[0, :, 0, 2], torch.tensor([0.5, 1.0]))
    assert sigmoid[0, 0, 0, 3] == pytest.approx(1 / (1 + 2.718281828**-1))


def test_lookup_holds_its_ends_and_its_steps_have_the_gradient_of_their_ramp() -> None:
    values = torch.tensor([-9.0, 10.0, 10.5, 12.0, 99.0])
    assert torch.allclose(Lookup(10, (0, 2, 8), 2)(values), torch.tensor([0.0, 0.0, 0.5, 4.0, 4.0]))
    steps = Lookup(0, tuple(float(entry // 16) for entry in range(4096)), 255.0)
    inputs = torch.arange(100.0, 4000.0, 7.3, dtype=torch.float64).requires_grad_(True)
    out = steps(inputs)
    on_tread = inputs.detach() % 16 < 15
    assert torch.allclose(255 * out[on_tread], inputs[on_tread] // 16, atol=1e-4)
    (gradient,) = torch.autograd.grad(out.sum(), inputs)
    assert torch.allclose(gradient, torch.full_like(gradient, 1 / 16 / 255), rtol=0.6) and (gradient > 0).all()


@pytest.mark.parametrize(("source", "target"), [((61, 40), (24, 24)), ((20, 30), (33, 64)), ((40, 40), (13, 80))])
def test_the_filter_of_volumes_is_that_of_slices(source: tuple[int, int], target: tuple[int, int]) -> None:
    values = torch.rand(1, 2, *source, dtype=torch.float64)
    wanted = F.interpolate(values, size=target, mode="bilinear", align_corners=False, antialias=True)
    found = resample(values.unsqueeze(2), (1, *target)).squeeze(2)
    assert torch.allclose(found, wanted, atol=1e-6)


def test_volumes_that_grow_are_trilinear() -> None:
    values = torch.rand(1, 1, 4, 5, 6, dtype=torch.float64)
    wanted = F.interpolate(values, size=(9, 10, 11), mode="trilinear", align_corners=False)
    assert torch.allclose(resample(values, (9, 10, 11)), wanted, atol=1e-6)


def test_shrinking_does_not_alias() -> None:
    stripes = (torch.arange(64) % 2).double().view(1, 1, 1, 1, -1).expand(1, 1, 4, 4, 64)
    assert (resample(stripes, (4, 4, 16)) - 0.5).abs().max() < 0.08
    assert torch.allclose(triangle(64, 16).sum(dim=1), torch.ones(16))


def test_resize_by_the_shorter_side_keeps_the_aspect() -> None:
    assert Resize(20)(torch.rand(1, 1, 40, 60)).shape[2:] == (20, 30)
    assert Resize(20)(torch.rand(1, 1, 60, 40)).shape[2:] == (30, 20)
    assert Resize(20)(torch.rand(1, 1, 7, 60, 40)).shape[2:] == (7, 30, 20)


def test_crop_keeps_the_middle_or_the_box() -> None:
    values = torch.arange(42.0).view(1, 1, 6, 7)
    assert torch.equal(Crop((2, 3))(values), values[..., 2:4, 2:5])
    assert torch.equal(Crop((2, 3), start=(4, 0))(values), values[..., 4:6, 0:3])


def test_pad_puts_the_image_in_the_middle() -> None:
    out = Pad("square", value=7)(torch.zeros(1, 1, 2, 5))
    assert out.shape == (1, 1, 5, 5) and out[0, 0, 1:3].abs().max() == 0 and (out[0, 0, [0, 3, 4]] == 7).all()


def test_standardise_image_leaves_a_flat_image_finite_with_a_finite_gradient() -> None:
    values = torch.full((1, 1, 4, 4), 3.0, requires_grad=True)
    out = StandardiseImage()(values)
    (gradient,) = torch.autograd.grad(out[0, 0, 0, 0], values)
    assert torch.equal(out, torch.zeros_like(out)) and torch.isfinite(gradient).all()
    varied = StandardiseImage(over="channel")(torch.randn(2, 3, 30, 30) * 5 + torch.arange(3).view(1, 3, 1, 1))
    assert torch.allclose(varied.mean(dim=(2, 3)), torch.zeros(2, 3), atol=1e-5)
    assert torch.allclose(varied.std(dim=(2, 3), correction=0), torch.ones(2, 3), atol=1e-4)


def test_grey_and_channels_know_their_colours() -> None:
    colour = torch.tensor([1.0, 0.0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert Grey()(colour)[0, 0, 0, 0] == pytest.approx(0.299 + 0.057)
    assert torch.equal(Channels((2, 1, 0))(colour)[0, :, 0, 0], torch.tensor([0.5, 0.0, 1.0]))


@pytest.mark.parametrize(
    ("step", "shape", "words"),
    [
        (Crop((8, 8)), (1, 1, 6, 7), "only [6, 7]"),
        (Resize((8, 8, 8)), (1, 1, 6, 7), "reads slices"),
        (Resize((8, 8)), (1, 1, 5, 6, 7), "reads volumes"),
        (Repeat(3), (1, 3, 6, 7), "3 channels arrive"),
        (Grey(), (1, 4, 6, 7), "4 arrive"),
        (Voi((0.0, 1.0), (2.0, 3.0)), (1, 3, 6, 7), "3 channels arrive"),
        (Channels((2,)), (1, 1, 6, 7), "names channel 2"),
        (Standardise((0.0, 0.0, 0.0), 1.0), (1, 1, 6, 7), "3 channels, but 1"),
        (Flip(("z",)), (1, 1, 6, 7), "reads slices"),
        (Layout(("channel", "x", "y", "z")), (1, 1, 6, 7), "names 4 axes"),
    ],
)
def test_a_step_that_does_not_fit_says_what_would(step: Any, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        step(torch.zeros(shape))
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("name", sorted(SLICE))
def test_steps_work_where_the_values_are(name: str, axes: int) -> None:
    step, channels = (SLICE if axes == 2 else VOLUME)[name]
    assert step(image(channels, axes).to("meta")).device.type == "meta"

"""The images of the survival benchmark: the samples as small series in one file or several, and photographs of a blot."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from pydicom import dcmread
from torch import Tensor

from napari_medadv.dicom.synthetic import write_series
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.model.intake import Unit
from napari_medadv.phantom import chest_ct
from napari_medadv.prediction import Findings
from napari_medadv.samples import SAMPLES, radiograph_file
from napari_medadv.volume import Array, Volume
from tests.dicom.making import dataset, write

GREY = ("none", "RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000")
COLOUR = ("none", "RLE", "JPEG-LS", "JPEG 2000")


@dataclass(frozen=True)
class Image:
    """What is attacked: how its files are made, in which compressions, who reads it, and what is to vanish.

    Attributes
    ----------
    frail
        How many times as sensitive as usual the small network is, so that few voxels turn it.
    """

    make: Callable[[Path], object]
    compressions: tuple[str, ...]
    shipped: Classifier | None
    label: str
    epsilon: float
    frail: float = 1.0

    def reader(self, volume: Volume) -> Classifier:
        """Who is fooled."""
        return self.shipped if self.shipped is not None else small(volume, self.label, self.epsilon / self.frail)


@cache
def _slices() -> tuple[Array, Array]:
    voxels, nodules = chest_ct(1, (64, 256, 256), (4.0, 1.4, 1.4))
    z, y, x = (int(place / gap) for place, gap in zip(nodules[0].centre, (4.0, 1.4, 1.4), strict=True))
    top, left = min(max(y - 40, 0), 176), min(max(x - 40, 0), 176)
    return voxels[z : z + 2], voxels[z : z + 2, top : top + 80, left : left + 80]


def phantom(folder: Path, whole: bool) -> None:
    """Two slices of the embedded phantom through a nodule; the whole ones, or 80 x 80 pixels around it."""
    write_series(folder / "source", _slices()[0 if whole else 1], (4.0, 1.4, 1.4), key="two slices")


def phantom_in_one_file(folder: Path, whole: bool) -> None:
    """The same as an enhanced CT."""
    phantom(folder / "apart", whole)
    made = importlib.import_module("highdicom.legacy").LegacyConvertedEnhancedCTImage
    slices = [dcmread(path) for path in sorted((folder / "apart" / "source").iterdir())]
    (folder / "source").mkdir()
    made(slices, "1.2.3.1", 5, "1.2.3.2", 1).save_as(folder / "source" / "a.dcm")


def radiograph(folder: Path, times: int) -> None:
    """Every block of `times` x `times` pixels of the embedded radiograph as its mean."""
    ds = dcmread(radiograph_file())
    height, width = (side // times for side in ds.pixel_array.shape)
    pixels = ds.pixel_array[: height * times, : width * times]
    blocks = pixels.reshape(height, times, width, times).mean(axis=(1, 3))
    ds.PixelData, (ds.Rows, ds.Columns) = np.rint(blocks).astype(pixels.dtype).tobytes(), blocks.shape
    (folder / "source").mkdir()
    ds.save_as(folder / "source" / "a.dcm")


def photographs(count: int) -> Callable[[Path], None]:
    """A file of so many frames: a dark blot on skin."""

    def make(folder: Path) -> None:
        rows, columns = np.mgrid[:64, :64] / 64
        blot = np.exp(-((rows - 0.5) ** 2 + (columns - 0.45) ** 2) / 0.03)[..., None]
        noise = np.random.default_rng(0).normal(0, 6, (count, 64, 64, 3))
        frames = (np.array([205, 160, 140]) - blot * [110, 100, 80] + noise).clip(0, 255).astype(np.uint8)
        ds = dataset("XC", voxels=frames[0])
        if count > 1:
            ds.NumberOfFrames, ds.PixelData = count, frames.tobytes()
        write(ds, folder / "source" / "a.dcm")

    return make


def small(volume: Volume, label: str, epsilon: float) -> Classifier:
    """A small network of random weights that sees the label in every slice, by a margin that about `epsilon` / 6 takes away."""
    rng = torch.Generator().manual_seed(0)
    values = torch.from_numpy(np.ascontiguousarray(volume.values()))
    values = values.movedim(3, 1) if volume.colour else values[:, None]
    low, span = values.min(), values.max() - values.min()
    channels = values.shape[1]
    first, last = (
        torch.randn((8, channels, 5, 5), generator=rng) / (25 * channels) ** 0.5,
        torch.randn(8, generator=rng),
    )

    def features(values: Tensor) -> Tensor:
        maps = torch.nn.functional.conv2d((values - low) / span, first, stride=3).tanh()
        return maps.mean(dim=(2, 3)) @ last

    inputs = values[:1].clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(features(inputs).sum(), inputs)
    units: dict[str, Unit] = {"HU": "HU", "level": "level"}
    gain = 18 / (float(gradient.abs().sum()) * epsilon)
    lowest = features(values).min()
    return Classifier(
        lambda values: (3 + gain * (features(values) - lowest))[:, None],
        Findings((label,), "sigmoid"),
        units.get(volume.scale.unit, "stored value"),
    )


def images(shipped: bool) -> dict[str, Image]:
    """All that is attacked, read by the small network or, where there are any, by the shipped classifiers."""
    own = [load_classifier(sample.model) if shipped else None for sample in SAMPLES]
    return {
        "CT": Image(partial(phantom, whole=shipped), GREY, own[1], "nodule", 60.0),
        "CT, one file": Image(partial(phantom_in_one_file, whole=shipped), GREY, own[1], "nodule", 60.0),
        "radiograph": Image(partial(radiograph, times=6 if shipped else 18), GREY, own[0], "pneumonia", 1200.0, 6.0),
        "photograph": Image(photographs(1), COLOUR, None, "blot", 24.0, 6.0),
        "photographs, one file": Image(photographs(2), COLOUR, None, "blot", 24.0),
    }

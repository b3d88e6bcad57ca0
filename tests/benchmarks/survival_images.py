"""The images of the survival benchmark: the samples as small series in one file or several, and photographs of a blot."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydicom import dcmread
from torch import Tensor

from napari_medadv.dicom import decode, scan
from napari_medadv.dicom.synthetic import write_series
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.phantom import chest_ct
from napari_medadv.prediction import Findings
from napari_medadv.samples import SAMPLES, radiograph_file
from tests.dicom.making import dataset, write

GREY = ("none", "RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000")
COLOUR = ("none", "RLE", "JPEG-LS", "JPEG 2000")


@dataclass(frozen=True)
class Image:
    """What is attacked: how its files are made, in which compressions, who reads it, and what is to vanish."""

    make: Callable[[Path], object]
    compressions: tuple[str, ...]
    classifier: Classifier
    label: str
    epsilon: float


def phantom(folder: Path) -> None:
    """Two slices of the embedded phantom in which its classifier sees a nodule."""
    spacing = (4.0, 1.4, 1.4)
    voxels, _ = chest_ct(1, (64, 256, 256), spacing)
    write_series(folder / "whole", voxels, spacing, key="whole")
    scores = load_classifier(SAMPLES[1].model).predict(decode(scan(folder / "whole")[0])).slices
    assert scores is not None
    start = int(np.argmax(np.minimum(scores[1:, 0], scores[:-1, 0])))
    write_series(folder / "source", voxels[start : start + 2], spacing, key="two slices")


def phantom_in_one_file(folder: Path) -> None:
    """The same slices as an enhanced CT."""
    phantom(folder / "apart")
    made = importlib.import_module("highdicom.legacy").LegacyConvertedEnhancedCTImage
    slices = [dcmread(path) for path in sorted((folder / "apart" / "source").iterdir())]
    (folder / "source").mkdir()
    made(slices, "1.2.3.1", 5, "1.2.3.2", 1).save_as(folder / "source" / "a.dcm")


def radiograph(folder: Path) -> None:
    """Every block of 6 x 6 pixels of the embedded radiograph as its mean."""
    ds = dcmread(radiograph_file())
    height, width = (side // 6 * 6 for side in ds.pixel_array.shape)
    blocks = ds.pixel_array[:height, :width].reshape(height // 6, 6, width // 6, 6).mean(axis=(1, 3))
    ds.PixelData, (ds.Rows, ds.Columns) = np.rint(blocks).astype(ds.pixel_array.dtype).tobytes(), blocks.shape
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


def blots() -> Classifier:
    """A small network of random weights that sees a blot in the photographs, and not without it."""
    rng = torch.Generator().manual_seed(0)
    first, last = torch.randn((8, 3, 5, 5), generator=rng) / 75**0.5, torch.randn(8, generator=rng)

    def features(values: Tensor) -> Tensor:
        maps = torch.nn.functional.conv2d(values / 255, first, stride=2).tanh()
        return maps.mean(dim=(2, 3)) @ last

    with tempfile.TemporaryDirectory() as folder:
        photographs(1)(Path(folder))
        seen = torch.from_numpy(decode(scan(Path(folder) / "source")[0]).values()).movedim(3, 1)
    bare = seen[..., :1, :1].expand_as(seen)
    there, gone = (float(features(values)) for values in (seen, bare))
    return Classifier(
        lambda values: (20 / (there - gone) * (features(values) - gone))[:, None] - 17,
        Findings(("blot",), "sigmoid"),
        "level",
    )


def images() -> dict[str, Image]:
    """All that is attacked."""
    own = {sample.name: load_classifier(sample.model) for sample in SAMPLES}
    chest, ct = own["radiograph"], own["ct_phantom"]
    return {
        "CT": Image(phantom, GREY, ct, "nodule", 60.0),
        "CT, one file": Image(phantom_in_one_file, GREY, ct, "nodule", 60.0),
        "radiograph": Image(radiograph, GREY, chest, "pneumonia", 1200.0),
        "photograph": Image(photographs(1), COLOUR, blots(), "blot", 24.0),
        "photographs, one file": Image(photographs(2), COLOUR, blots(), "blot", 24.0),
    }

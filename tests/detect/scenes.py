"""Small clean series of every shape, and a convolutional classifier for each."""

from __future__ import annotations

import numpy as np
import torch
from skimage.filters import gaussian
from torch import Tensor, nn

from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.volume import Scale, Volume

SCENES = ("grey", "colour", "stack", "whole volume", "one logit")


class Small(nn.Module):
    """Two convolutions, a mean, a linear layer; seeded, and centred on the mean image."""

    def __init__(self, channels: int, labels: int, volumes: bool) -> None:
        super().__init__()
        kind = nn.Conv3d if volumes else nn.Conv2d
        torch.manual_seed(4)
        self.first, self.second = kind(channels, 6, 3, padding=1), kind(6, 8, 3, padding=1)
        self.head = nn.Linear(8, labels)

    def forward(self, values: Tensor) -> Tensor:
        shown = (values - values.flatten(1).mean(dim=1).view(-1, *[1] * (values.ndim - 1))) / 50
        features = torch.relu(self.second(torch.relu(self.first(shown)))).flatten(2)
        logits: Tensor = 10 * (self.head(features.mean(dim=2)) - self.head.bias)
        return logits


def classifier(scene: str) -> Classifier:
    channels, labels = 3 if scene == "colour" else 1, ("a",) if scene == "one logit" else ("a", "b")
    network = Small(channels, len(labels), scene == "whole volume").eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return Classifier(
        network,
        Findings(labels, "sigmoid" if scene == "one logit" else "softmax"),
        "level" if scene == "colour" else "HU",
        reads="volume" if scene == "whole volume" else "slices",
        sha256="5" * 64,
        name="small",
    )


def volume(scene: str, seed: int, size: int = 20) -> Volume:
    """A smooth image with some noise."""
    rng = np.random.default_rng(seed)
    slices = 9 if scene in ("stack", "whole volume") else 1
    shape = (slices, size, size, 3) if scene == "colour" else (slices, size, size)
    smooth = gaussian(rng.normal(size=shape), (0, 3, 3, 0) if scene == "colour" else (0, 3, 3), mode="reflect")  # type: ignore[no-untyped-call]
    if scene == "colour":
        voxels = np.clip(128 + 300 * smooth + rng.normal(0, 1, shape), 0, 255).astype(np.uint8)
        return Volume(voxels, np.eye(4), Scale("level", 0, 255), photometric="RGB", modality="XC")
    voxels = np.clip(1100 + 900 * smooth + rng.normal(0, 6, shape), 0, 4095).astype(np.int16)
    scale = Scale("HU", 0, 4095, intercept=np.array([-1024.0]))
    return Volume(voxels, np.eye(4), scale, modality="CT")

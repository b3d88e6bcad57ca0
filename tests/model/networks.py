"""Small networks for the tests: seeded, in eval mode, with batch norms that have seen something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from napari_medadv.volume import Array, Scale, Volume, Window


class Small(nn.Module):
    """conv, batch norm, ReLU twice, then a mean and a linear layer."""

    def __init__(self, channels: int = 1, labels: int = 2, axes: int = 2, seed: int = 0) -> None:
        super().__init__()
        conv = nn.Conv2d if axes == 2 else nn.Conv3d
        norm = nn.BatchNorm2d if axes == 2 else nn.BatchNorm3d
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.body = nn.Sequential(
                conv(channels, 6, 3, padding=1, bias=False),
                norm(6),
                nn.ReLU(),
                conv(6, 8, 3, stride=2),
                norm(8),
                nn.ReLU(),
            )
            self.head = nn.Linear(8, labels)
            for module in self.body:
                if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.normal_(module.bias)
                    assert module.running_mean is not None and module.running_var is not None
                    nn.init.normal_(module.running_mean, std=0.1)
                    nn.init.uniform_(module.running_var, 0.3, 0.6)
        self.eval()

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.head(self.body(values).flatten(2).mean(dim=2))
        return found


def grey(seed: int = 0, slices: int = 3, side: int = 40) -> Volume:
    """A CT in HU, (z, y, x)."""
    voxels = np.random.default_rng(seed).integers(0, 2048, (slices, side, side)).astype(np.int16)
    return Volume(voxels, np.eye(4), Scale("HU", -2048, 4095, intercept=np.array([-1024.0])))


def radiograph(seed: int = 0, photometric: str = "MONOCHROME2") -> Volume:
    """One slice of stored values with a display window."""
    voxels: Array = np.random.default_rng(seed).integers(0, 4096, (1, 48, 40)).astype(np.uint16)
    window = Window(2048, 4096, "LINEAR_EXACT")
    return Volume(voxels, np.eye(4), Scale("stored value", 0, 4095), (window,), photometric=photometric)


def photograph(seed: int = 0) -> Volume:
    """One colour slice of levels."""
    voxels: Array = np.random.default_rng(seed).integers(0, 256, (1, 40, 40, 3)).astype(np.uint8)
    return Volume(voxels, np.eye(4), Scale("level", 0, 255), photometric="RGB")


def write_card(folder: Path, more: str = "", **keys: str) -> Path:
    """A `model.toml` in the folder: a softmax over a and b on HU, resized to 32 x 32, unless keys (as TOML) say else."""
    table = {"labels": '["a", "b"]', "activation": '"softmax"', "unit": '"HU"'} | keys
    lines = [f"{key} = {value}" for key, value in table.items() if value]
    steps = (
        more
        or '[[preprocess]]\nstep = "window"\ncenter = 0\nwidth = 2000\n[[preprocess]]\nstep = "resize"\nsize = [32, 32]\n'
    )
    path = folder / "model.toml"
    path.write_text("\n".join(lines) + "\n" + steps)
    return path


def export(network: nn.Module, path: Path, shape: tuple[int, ...] = (1, 32, 32), *, batch: int | None = None) -> Path:
    """A .pt2 file, for any batch or a fixed one."""
    values = torch.rand(batch or 2, *shape)
    free = None if batch else ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(network, (values,), dynamic_shapes=free), path)
    return path

"""Train a DenseNet121 as Finlayson et al. trained their ResNet-50: ``python train.py TABLE.csv OUT [--seed N] [--last 0]``.

TABLE.csv has the columns file, label and split, of 8-bit DICOM images of one size; only rows of the split "train" are
read. The network reads [-1, 1] at 224 x 224, is shown turned, sheared, zoomed, shifted and mirrored images, and learns
plain cross-entropy; it begins at 128 x 128, because that is cheaper, and it ends with one epoch of the images as they
are (``--last 0`` leaves that out). There are no ImageNet weights here, so it starts from random ones. Writes
``model.pt2`` and its card ``model.toml``.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import numpy as np
import pydicom
import torch
from monai.networks.nets import DenseNet121
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample, interpolate
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SIZE = 224
STAGES = ((128, 24), (SIZE, 12))
BATCH = 16
PEAK_RATE = 1e-3
LAST_RATE = 5e-4
CARD = """name = "{name}, DenseNet121"
weights = "model.pt2"
labels = [{labels}]
activation = "softmax"
output = "logits"
unit = "presentation value"
reads = "slices"

[[preprocess]]
step = "resize"
size = [224, 224]
"""


class Centred(nn.Module):
    """A DenseNet121 that takes presentation values 0..1 and reads -1..1."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.network = DenseNet121(spatial_dims=2, in_channels=channels, out_channels=classes, dropout_prob=0.2)

    def forward(self, presentation: Tensor) -> Tensor:
        logits: Tensor = self.network(2 * presentation - 1)
        return logits


def read_table(table: Path, split: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """uint8 (image, channel, y, x), the index of each label, and the labels in their alphabetical order."""
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    labels = tuple(sorted({row["label"] for row in rows}))
    folder = rows[0]["file"].split("/")[0]
    rows = [row for row in rows if row["split"] == split and row["file"].split("/")[0] == folder]
    voxels = np.stack([levels(table.parent / row["file"]) for row in rows])
    return torch.from_numpy(voxels), torch.tensor([labels.index(row["label"]) for row in rows]), labels


def levels(path: Path) -> np.ndarray:
    """uint8 (channel, y, x): grey or RGB."""
    plane = pydicom.dcmread(path).pixel_array
    return np.ascontiguousarray(plane.transpose(2, 0, 1)) if plane.ndim == 3 else plane[None]


def shown(voxels: Tensor, size: int) -> Tensor:
    """Presentation values 0..1: float32, (image, channel, size, size)."""
    return interpolate(voxels.float() / 255, (size, size), mode="bilinear", antialias=True)


def moved(presentation: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror half, turn by up to 20 degrees, shear and zoom by up to 20 %, shift by up to 10 %."""
    count = len(presentation)

    def between(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high, generator=rng)

    angle, shear = between(-20, 20) * math.pi / 180, between(-0.2, 0.2)
    across, down = between(0.8, 1.2), between(0.8, 1.2)
    mirror = torch.where(between(0, 1) < 0.5, -1.0, 1.0)
    row_x = torch.stack([mirror * across * angle.cos(), mirror * (shear - angle.sin()), between(-0.2, 0.2)], 1)
    row_y = torch.stack([down * angle.sin(), down * angle.cos(), between(-0.2, 0.2)], 1)
    grid = affine_grid(torch.stack([row_x, row_y], 1), list(presentation.shape), align_corners=False)
    return grid_sample(presentation, grid, padding_mode="border", align_corners=False)


def trained(voxels: Tensor, targets: Tensor, classes: int, seed: int) -> nn.Module:
    """The exponential average of the weights over the steps, in eval mode; one thread, so that it repeats."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = Centred(voxels.shape[1], classes).to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    steps, began = len(targets) // BATCH, time.perf_counter()
    done, whole = 0, steps * sum(epochs for _, epochs in STAGES)
    network.train()
    for size, epochs in STAGES:
        images = shown(voxels, size)
        for epoch in range(epochs):
            losses = []
            for rows in torch.randperm(len(targets), generator=rng)[: steps * BATCH].split(BATCH):
                for group in optimizer.param_groups:
                    group["lr"] = PEAK_RATE * min(1.0, 10 * done / whole) * 0.5 * (1 + math.cos(math.pi * done / whole))
                batch = moved(images[rows], rng).contiguous(memory_format=torch.channels_last)
                losses.append(stepped(network, optimizer, batch, targets[rows]))
                average.update_parameters(network)
                done += 1
            took = time.perf_counter() - began
            print(f"{size} x {size}, epoch {epoch + 1:2d}: loss {np.mean(losses):.3f}, {took:.0f} s", flush=True)
    return average.module.eval()


def ended(network: nn.Module, voxels: Tensor, targets: Tensor, seed: int, epochs: int = 1) -> nn.Module:
    """The network after some epochs more, of the images as they are; in eval mode."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    images = shown(voxels, SIZE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LAST_RATE, weight_decay=0.01)
    network.train()
    for _ in range(epochs):
        losses = []
        for rows in torch.randperm(len(targets), generator=rng)[: len(targets) // BATCH * BATCH].split(BATCH):
            batch = images[rows].contiguous(memory_format=torch.channels_last)
            losses.append(stepped(network, optimizer, batch, targets[rows]))
        print(f"{SIZE} x {SIZE}, as they are: loss {np.mean(losses):.3f}", flush=True)
    return network.eval()


def stepped(network: nn.Module, optimizer: torch.optim.Optimizer, batch: Tensor, targets: Tensor) -> float:
    """The loss of a batch, before the step along its gradient."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(batch).float()
    loss = cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def export(network: nn.Module, channels: int, path: Path) -> None:
    """Write ``network`` by ``torch.export``: any number of images, no example input, no path in it."""
    network = network.eval().to(memory_format=torch.contiguous_format)
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(network, (torch.rand(2, channels, SIZE, SIZE),), dynamic_shapes=({0: batch},))
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def train(table: Path, out: Path, seed: int, last: int = 1) -> None:
    """Train on the table's training images; write the network and its card into ``out``."""
    voxels, targets, labels = read_table(table, "train")
    network = ended(trained(voxels, targets, len(labels), seed), voxels, targets, seed, last)
    out.mkdir(parents=True, exist_ok=True)
    export(network, voxels.shape[1], out / "model.pt2")
    names = ", ".join(f'"{label}"' for label in labels)
    (out / "model.toml").write_text(CARD.format(name=table.stem, labels=names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--last", type=int, default=1, help="epochs of the images as they are, at the end")
    arguments = parser.parse_args()
    train(arguments.table, arguments.out, arguments.seed, arguments.last)


if __name__ == "__main__":
    main()

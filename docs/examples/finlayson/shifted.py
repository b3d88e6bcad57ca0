"""The recipe *shifted*: a ResNet-50 or a DenseNet121, images mirrored and shifted by whole pixels, at 224 x 224 from the start.

Turning, zooming and shearing interpolate, and so smooth, what a network learns from. One that never saw such images leans on
finer detail, as networks do that saw millions of photographs first, and gives way to less.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from images import SIZE, shown
from monai.networks.nets import DenseNet121, resnet50
from recipe import BATCH, Centred, rate, stepped
from torch import Tensor, nn
from torch.nn.functional import pad


def untrained(network: str, channels: int, classes: int) -> Centred:
    """A network of random weights: "resnet50" or "densenet121"."""
    if network == "densenet121":
        return Centred(DenseNet121(spatial_dims=2, in_channels=channels, out_channels=classes))
    return Centred(resnet50(spatial_dims=2, n_input_channels=channels, num_classes=classes, conv1_t_stride=2))


def trained_shifted(
    network_name: str, voxels: Tensor, targets: Tensor, classes: int, seed: int, steps: int
) -> nn.Module:
    """The network after about so many steps, in whole epochs; in eval mode; one thread, so that it repeats."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = untrained(network_name, voxels.shape[1], classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.0)
    images, each, began = shown(voxels, SIZE), len(targets) // BATCH, time.perf_counter()
    epochs = max(1, round(steps / each))
    done, whole = 0, each * epochs
    network.train()
    for epoch in range(epochs):
        losses = []
        for rows in torch.randperm(len(targets), generator=rng)[: each * BATCH].split(BATCH):
            for group in optimizer.param_groups:
                group["lr"] = rate(done, whole)
            batch = shifted(images[rows], rng).contiguous(memory_format=torch.channels_last)
            losses.append(stepped(network, optimizer, batch, targets[rows]))
            done += 1
        took = time.perf_counter() - began
        print(f"epoch {epoch + 1:2d}: loss {np.mean(losses):.3f}, {took:.0f} s", flush=True)
    return network.eval()


def shifted(presentation: Tensor, rng: torch.Generator) -> Tensor:
    """Shift by up to 10 % in whole pixels and mirror half; photographs, which have no side up, are turned by quarters, too."""
    size, most = presentation.shape[-1], presentation.shape[-1] // 10
    wider, made = pad(presentation, (most,) * 4, mode="replicate"), []
    for image in wider:
        top, left = torch.randint(0, 2 * most + 1, (2,), generator=rng).tolist()
        piece = image[:, top : top + size, left : left + size]
        if torch.rand((), generator=rng) < 0.5:
            piece = piece.flip(-1)
        if len(piece) == 3:
            piece = piece.rot90(int(torch.randint(0, 4, (), generator=rng)), (-2, -1))
        made.append(piece)
    return torch.stack(made)

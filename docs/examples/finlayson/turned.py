"""The recipe *turned*: a DenseNet121, images turned, sheared, zoomed, shifted and mirrored, at first small, at the end as they are."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from images import SIZE, shown
from monai.networks.nets import DenseNet121
from recipe import BATCH, Centred, rate, stepped
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

STAGES = ((128, 24), (SIZE, 12))
LAST_RATE = 5e-4


def densenet121(channels: int, classes: int) -> Centred:
    """An untrained network."""
    return Centred(DenseNet121(spatial_dims=2, in_channels=channels, out_channels=classes, dropout_prob=0.2))


def trained_turned(voxels: Tensor, targets: Tensor, classes: int, seed: int, last: int) -> nn.Module:
    """The network after all epochs of moved images and ``last`` ones of the images as they are; in eval mode."""
    return _ended(_trained(voxels, targets, classes, seed), voxels, targets, seed, last)


def _trained(voxels: Tensor, targets: Tensor, classes: int, seed: int) -> nn.Module:
    """The exponential average of the weights over the steps, in eval mode; one thread, so that it repeats."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = densenet121(voxels.shape[1], classes).to(memory_format=torch.channels_last)
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
                    group["lr"] = rate(done, whole)
                batch = moved(images[rows], rng).contiguous(memory_format=torch.channels_last)
                losses.append(stepped(network, optimizer, batch, targets[rows]))
                average.update_parameters(network)
                done += 1
            took = time.perf_counter() - began
            print(f"{size} x {size}, epoch {epoch + 1:2d}: loss {np.mean(losses):.3f}, {took:.0f} s", flush=True)
    return average.module.eval()


def _ended(network: nn.Module, voxels: Tensor, targets: Tensor, seed: int, epochs: int) -> nn.Module:
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

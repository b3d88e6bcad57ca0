"""Train the nodule classifier on phantoms: ``python train.py OUT_FOLDER [--phantoms 48] [--epochs 14]``.

Training phantoms have even seeds from 1000 (seven nodules each) and odd ones (none); the operating threshold is chosen
on phantoms from 3000. ``measure.py`` uses phantoms from 5000, which nothing here has seen.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from network import NoduleNet
from phantoms import Slices, joined, phantom, windowed
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

SEED, BATCH, PEAK_RATE = 11, 24, 3e-3


def moved(slices: Tensor, cells: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror some slices and shift all by whole cells, with their maps; change brightness and add noise."""
    if torch.rand((), generator=rng) < 0.5:
        slices, cells = slices.flip(3), cells.flip(2)
    if torch.rand((), generator=rng) < 0.3:
        slices, cells = slices.flip(2), cells.flip(1)
    down, right = (int(torch.randint(-2, 3, (), generator=rng)) for _ in range(2))
    slices, cells = slices.roll((8 * down, 8 * right), (2, 3)), cells.roll((down, right), (1, 2))
    inner = tuple(int(torch.randint(0, 8, (), generator=rng)) - 4 for _ in range(2))
    slices = slices.roll(inner, (2, 3))
    gain = torch.empty(len(slices), 1, 1, 1).uniform_(0.93, 1.07, generator=rng)
    offset = torch.empty(len(slices), 1, 1, 1).uniform_(-0.03, 0.03, generator=rng)
    noise = 0.008 * torch.randn(slices.shape, generator=rng)
    return (slices * gain + offset + noise).clamp(0, 1), cells


def local_loss(network: NoduleNet, slices: Tensor, cells: Tensor) -> Tensor:
    """Cross-entropy of the map of neighbourhoods; cells around a nodule's centre do not count."""
    logits = network.map(slices).squeeze(1)
    each = binary_cross_entropy_with_logits(logits, cells.clamp_min(0), reduction="none")
    there, elsewhere = cells == 1, cells == 0
    return each[there].sum() / max(int(there.sum()), 1) * 0.5 + each[elsewhere].mean()


def slice_loss(network: NoduleNet, slices: Tensor, cells: Tensor) -> Tensor:
    """Cross-entropy of the slice."""
    shows = (cells == 1).flatten(1).any(dim=1).float()
    return binary_cross_entropy_with_logits(network(slices).flatten(), shows)


def trained(slices: Slices, epochs: int) -> NoduleNet:
    """A network trained on slices that show a nodule and on as many others; the first half also learns where it lies."""
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    network = NoduleNet().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    shown, other = slices.shows.nonzero().flatten(), (~slices.touches).nonzero().flatten()
    steps = 2 * len(shown) // BATCH
    for epoch in range(epochs):
        network.train()
        picked = torch.cat([shown, other[torch.randperm(len(other), generator=rng)[: len(shown)]]])
        picked = picked[torch.randperm(len(picked), generator=rng)]
        total = 0.0
        for step in range(steps):
            rows = picked[step * BATCH : (step + 1) * BATCH]
            batch, cells = moved(windowed(slices.hu[rows]), slices.cells[rows], rng)
            progress = (epoch * steps + step) / (epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATE * min(progress / 0.1, 0.5 * (1 + math.cos(math.pi * progress)))
            batch = batch.contiguous(memory_format=torch.channels_last)
            loss = slice_loss(network, batch, cells)
            if epoch < epochs // 2:
                loss = loss + local_loss(network, batch, cells)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1:2d}  loss {total / steps:.4f}", flush=True)
    return network.eval()


@torch.no_grad()
def scores(network: torch.nn.Module, hu: Tensor) -> Tensor:
    """The logit of every slice."""
    return torch.cat([network(windowed(part)) for part in hu.split(32)]).flatten()


def threshold(network: NoduleNet) -> float:
    """The logit above which a slice shows a nodule: halfway between clean series and shown nodules of phantoms from 3000."""
    clean = torch.stack([scores(network, phantom(seed, 0).hu).max() for seed in range(3001, 3013, 2)])
    found = []
    for seed in range(3000, 3012, 2):
        part = phantom(seed, None)
        found.append(scores(network, part.hu)[part.shows].max())
    print(
        "clean series", clean.sort().values.tolist(), "series with a nodule", torch.stack(found).sort().values.tolist()
    )
    return float(clean.quantile(0.9) + torch.stack(found).quantile(0.1)) / 2


def export(network: NoduleNet, cut: float, path: Path) -> None:
    """Write the network, shifted so that its operating point is a probability of one half."""
    with torch.no_grad():
        network.head.bias -= cut
    network = network.to(memory_format=torch.contiguous_format)
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(network, (torch.rand(2, 1, 256, 256),), dynamic_shapes=({0: batch},))
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=14)
    arguments = parser.parse_args()
    slices = joined([phantom(1000 + number, 0 if number % 2 else 7) for number in range(arguments.phantoms)])
    print(f"{len(slices.shows)} slices, {int(slices.shows.sum())} show a nodule", flush=True)
    network = trained(slices, arguments.epochs)
    cut = threshold(network)
    print("threshold at logit", cut)
    arguments.out.mkdir(parents=True, exist_ok=True)
    export(network, cut, arguments.out / "model.pt2")


if __name__ == "__main__":
    main()

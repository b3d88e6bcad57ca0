"""Probes: made-up series that go through a card's steps, so that a network can be tried before any file is read."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_medadv.errors import MedAdvError
from napari_medadv.model.card import Card
from napari_medadv.model.preprocess.layout import Layout

_RANGES = {
    "HU": (-1000.0, 1000.0),
    "stored value": (0.0, 4095.0),
    "level": (0.0, 255.0),
    "presentation value": (0.0, 1.0),
}


def probes(card: Card, stated: tuple[int | None, ...], device: torch.device) -> Iterator[tuple[int, Tensor]]:
    """The channels of a made-up series, and it as the network gets it: for grey, then for colour.

    Yielded are (channels of the series, float32 (batch, ...) after the steps). Where the steps leave the size open it
    is the one that the card or the file states.

    Raises
    ------
    MedAdvError
        The steps take neither grey nor colour.
    """
    refused: MedAdvError | None = None
    found = 0
    for channels in (1, 3) if card.unit != "HU" else (1,):
        values = _series(card, channels, stated).to(device)
        try:
            for step in card.preprocess:
                values = step(values)
        except MedAdvError as error:
            refused = refused or error
            continue
        found += 1
        yield channels, values
    if not found and refused is not None:
        raise refused


def extremes(values: Tensor) -> Tensor:
    """Inputs far outside of what the network knows: they drive a sigmoid to its ends, and logits out of 0 to 1."""
    return torch.cat([values[:1] * 100, -values[:1] * 100, torch.full_like(values[:1], 30.0)])


def open_size(card: Card, stated: tuple[int | None, ...]) -> bool:
    """Whether neither steps, card nor file say how large an input is."""
    return not (card.input or _sizes(card) or (stated and None not in stated[1:]))


def _series(card: Card, channels: int, stated: tuple[int | None, ...]) -> Tensor:
    """Smooth blobs and noise in the range of the unit: float32, (batch, channel, y, x) or (batch, channel, z, y, x)."""
    axes = 2 if card.reads == "slices" else 3
    size = _size(card, axes, stated)
    count = 4 if axes == 2 else 2
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand((count, channels, *[5] * axes), generator=rng)
    smooth = F.interpolate(coarse, size=size, mode="bilinear" if axes == 2 else "trilinear", align_corners=False)
    grain = torch.rand((count, channels, *size), generator=rng)
    share = torch.linspace(0.1, 0.9, count).view(-1, *[1] * (axes + 1))
    low, high = _RANGES[card.unit]
    return low + (high - low) * (smooth * (1 - share) + grain * share)


def _size(card: Card, axes: int, stated: tuple[int | None, ...]) -> tuple[int, ...]:
    sizes = _sizes(card)
    if sizes:
        pairs = [size for size in sizes if len(size) == axes]
        scalars = [size[0] for size in sizes if len(size) == 1]
        floor = max(scalars, default=0)
        return tuple(max([floor, *(size[axis] for size in pairs)]) or 32 for axis in range(axes))
    if card.input:
        return tuple(length or 1 for length in _space(card, card.input))
    if len(stated) == axes + 2:
        return tuple(length or (128 if axes == 2 else 64) for length in _space(card, stated[1:]))
    return (128, 128) if axes == 2 else (32, 64, 64)


def _space(card: Card, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The spatial lengths, y and x or z, y and x, in the shape of an input as the last step gives it."""
    last = card.preprocess[-1] if card.preprocess else None
    if not isinstance(last, Layout) or len(last.axes) != len(shape):
        return shape[1:]
    named = dict(zip(last.axes, shape, strict=True))
    return tuple(named[axis] for axis in ("z", "y", "x") if axis in named)


def _sizes(card: Card) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for step in card.preprocess:
        size, start = getattr(step, "size", None), getattr(step, "start", None)
        if isinstance(size, int):
            found.append((size,))
        elif isinstance(size, tuple):
            found.append(tuple(map(sum, zip(size, start or [0] * len(size), strict=True))))
    return found

"""Draw: random numbers, windows and patterns for the attacks that only ask; every draw comes from the task's generator."""

from __future__ import annotations

import math
import operator

import torch
from torch import Tensor

from napari_medadv.errors import AttackError, wrong_kind


def seeded(seed: int) -> torch.Generator:
    """The generator that all randomness of a run comes from.

    Raises
    ------
    AttackError
        The seed is no whole number from 0 to 2**63 - 1.
    """
    try:
        whole = operator.index(seed)
    except TypeError:
        raise AttackError(wrong_kind("The seed", seed, "a whole number", "give one, such as 0")) from None
    if not 0 <= whole < 2**63:
        raise AttackError(f"The seed is {whole}, and a whole number from 0 to 2**63 - 1 is expected: give another.")
    return torch.Generator().manual_seed(whole)


def uniform(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Float32 from 0 to 1, on the device of `like`; drawn on the generator's device, so that devices agree."""
    return torch.rand(shape, generator=rng, device=rng.device).to(like)


def normal(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Standard normal float32, on the device of `like`."""
    return torch.randn(shape, generator=rng, device=rng.device).to(like)


def signs(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Plus or minus one."""
    return uniform(shape, rng, like).sub(0.5).sign()


def corners(values: Tensor, side: int, rng: torch.Generator) -> list[tuple[slice, slice, slice]]:
    """A square of this side (a cube, where z has room) at a random place of each entry: its extent along z, y and x.

    Parameters
    ----------
    values
        (batch, channel, z, y, x).
    side
        In voxels; at most the length of each axis.
    rng
        Where the places come from.
    """
    along = []
    for length in values.shape[2:]:
        width = min(side, length)
        start = (uniform((len(values),), rng, values) * (length - width + 1)).floor()
        along.append([slice(int(place), int(place) + width) for place in start.tolist()])
    return [(z, y, x) for z, y, x in zip(*along, strict=True)]


def windows(values: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """The `corners` as masks: bool, (batch, 1, z, y, x)."""
    found = torch.zeros((len(values), 1, *values.shape[2:]), dtype=torch.bool, device=values.device)
    for mask, (z, y, x) in zip(found, corners(values, side, rng), strict=True):
        mask[0, z, y, x] = True
    return found


def cosine_pattern(values: Tensor, low: float, rng: torch.Generator) -> Tensor:
    """A random low-frequency cosine pattern for each entry, of the shape of `values`, between -1 and 1.

    Parameters
    ----------
    values
        (batch, channel, z, y, x).
    low
        The highest frequency, as a share of the highest there is.
    rng
        Where the frequencies, and the channel that is changed, come from.
    """
    batch, channel = values.shape[:2]
    pattern = torch.ones((batch, 1, 1, 1, 1), device=values.device)
    for axis in (2, 3, 4):
        length = values.shape[axis]
        highest = max(1, round(low * length))
        frequency = (uniform((batch, 1), rng, values) * highest).floor()
        places = torch.arange(length, device=values.device) + 0.5
        shape = [batch, 1, 1, 1, 1]
        shape[axis] = length
        pattern = pattern * torch.cos(math.pi / length * frequency * places).view(shape)
    chosen = (uniform((batch, 1), rng, values) * channel).floor() == torch.arange(channel, device=values.device)
    return pattern * chosen.view(batch, channel, 1, 1, 1)

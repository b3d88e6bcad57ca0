"""Grain: fine detail with the spectrum of the network's gradient; after Harder, Pfreundt, Keuper and Keuper 2021, https://arxiv.org/abs/2103.03000."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.detect.alignment import direction
from napari_medadv.detect.benign import Plane, changed, within
from napari_medadv.detect.detail import differenced, mean
from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.mahalanobis import shrunken
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Grain:
    """How far fine detail has the grain of the network's gradient rather than that of noise, of the scanner or of compression.

    Strides, pooling and resizing give the gradient of a network a spectrum of its own, whatever the image; whoever climbs it,
    or that of a network of the same kind, leaves this grain behind. *Alignment* asks for the very pattern, and this detector
    for its kind only, so that it also sees what was made with another network.

    It is Fisher's linear discriminant between the spectra of clean slices with a grain of the gradient's sign and with as
    much random noise; what clean slices and benign changes of them vary in is discounted. The grain is rolled away from
    where it was computed, and so turns no decision: no attack is learnt from.

    Attributes
    ----------
    levels
        The size of the grain that is learnt, in grey levels of 255 of the window.
    block
        The side of the squares whose spectra are averaged, in pixels; smaller where the slices are.
    slices
        From how many slices it learns at most.
    """

    needs: ClassVar[tuple[Need, ...]] = ("gradient", "clean images")
    weight: ClassVar[float] = 0.2
    evaded_by: ClassVar[str] = (
        "surrogates of another kind, sparse and smooth changes, patches, strong JPEG 2000 after the attack, and attacks that shape the "
        "spectrum of what they change"
    )

    levels: float = 4.0
    block: int = 32
    slices: int = 128

    def __post_init__(self) -> None:
        if self.levels <= 0 or self.block < 4 or self.slices < 1:
            raise DetectorError("Grain takes levels above 0, a block of at least 4 pixels and at least one slice.")

    @property
    def passes(self) -> int:
        """None: the network was asked when it learnt."""
        return 0

    def fit(self, clean: Sequence[Suspect]) -> State:
        """The discriminant, in spreads of clean slices along it, and their mean spectrum: (block, block // 2 + 1)."""
        side = min([self.block, *(min(each.values.shape[-2:]) for each in clean)])
        if side < 4:
            raise DetectorError(
                "Grain looks at squares of 4 pixels at least, and these slices are smaller: leave it out."
            )
        rng = np.random.default_rng(0)
        plain, shifts, others = [], [], []
        for plane, signs, step in _sampled(clean, self.slices):
            size = max(round(self.levels / step), 1) * step
            rolled = np.roll(signs, (plane.shape[0] // 3, plane.shape[1] // 3), axis=(0, 1))
            noise = rng.choice([-1.0, 1.0], plane.shape)
            grained, noisy = (within(plane + size * each, plane) for each in (rolled, noise))
            plain.append(_of(plane, side))
            shifts.append(_of(grained, side) - _of(noisy, side))
            others += [_of(each, side) for each in changed(plane, step, rng)]
        middle = np.mean(plain, axis=0)
        away = np.stack([*plain, *others]) - middle
        towards = np.linalg.solve(shrunken(away), np.mean(shifts, axis=0))
        spread = max(float(np.std((np.stack(plain) - middle) @ towards)), 1e-6)
        half = (side, side // 2 + 1)
        return {
            "direction": (towards / spread).reshape(half).astype(np.float32),
            "middle": middle.reshape(half).astype(np.float32),
        }

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """How far along the discriminant: (batch,), in the spread of clean images."""
        towards, middle = (torch.from_numpy(state[name]).to(suspect.values) for name in ("direction", "middle"))
        rows, columns = suspect.values.shape[-2:]
        side = len(towards)
        if min(rows, columns) < side:
            raise DetectorError(
                f"Grain learnt from squares of {side} pixels, and these slices are {rows} x {columns}: calibrate on slices of that size."
            )
        found = spectrum(suspect.values / (suspect.range / 255), side)
        return ((found - middle) * towards).flatten(1).sum(dim=1)


def spectrum(levels: Tensor, side: int) -> Tensor:
    """The logarithm of the power of whitened detail, averaged over overlapping squares: (batch, side, side // 2 + 1).

    Parameters
    ----------
    levels
        (batch, channel, z, y, x), in grey levels.
    """
    detail = differenced(levels)
    flat = detail / (1 + mean(detail.square(), 7))
    fade = torch.hann_window(side, device=levels.device, dtype=levels.dtype)
    power = []
    for plane in flat.unbind(2):
        squares = plane.unfold(-2, side, side // 2).unfold(-2, side, side // 2) * torch.outer(fade, fade)
        power.append(torch.fft.rfft2(squares).abs().square().mean(dim=(1, 2, 3)))
    return torch.log(torch.stack(power).mean(dim=0) + 1e-12)


def _of(plane: Plane, side: int) -> Plane:
    """The spectrum of one slice in grey levels, flat."""
    values = torch.from_numpy(plane.astype(np.float32))
    return np.asarray(spectrum(values[None, None, None], side).flatten(), np.float64)


def _sampled(clean: Sequence[Suspect], most: int) -> Iterator[tuple[Plane, Plane, float]]:
    """At most so many slices, evenly chosen: itself in grey levels, the signs of the gradient there, the stored step."""
    every = -(-sum(len(_planes(each.values)) for each in clean) // most)
    start = 0
    for each in clean:
        planes = _planes(each.values)
        chosen = [index for index in range(len(planes)) if (start + index) % every == 0]
        start += len(planes)
        if not chosen:
            continue
        grey = each.range / 255
        with torch.no_grad():
            decided = each.presence(each.values) > 0
        signs = _planes(direction(each, each.values, decided))
        steps = (each.quantum / grey).expand(*each.values.shape[:3], 1, 1).flatten()
        for index in chosen:
            plane = (planes[index].double().cpu().numpy() - each.window[0]) / grey
            yield plane, signs[index].double().cpu().numpy(), float(steps[index])


def _planes(values: Tensor) -> Tensor:
    return values.reshape(-1, *values.shape[-2:])

"""Projector: parallel-beam projections of slices and their filtered back-projection, both differentiable."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad


class Projector:
    """A parallel-beam scanner: pixel-driven, linear between detector elements as wide as the smaller pixel spacing.

    Parameters
    ----------
    shape
        (y, x) of the slices.
    spacing
        Of their pixels along y and x, in mm.
    views
        How many angles over half a turn.
    device
        Where it computes.
    """

    def __init__(
        self, shape: tuple[int, int], spacing: tuple[float, float], views: int, device: torch.device | str = "cpu"
    ) -> None:
        (height, width), (tall, wide) = shape, spacing
        self.shape, self.views, self.pitch = shape, views, min(spacing)
        self.elements = math.ceil(math.hypot(height * tall, width * wide) / self.pitch) + 3
        self._area = tall * wide
        rows = (torch.arange(height, device=device) - (height - 1) / 2) * tall / self.pitch
        columns = (torch.arange(width, device=device) - (width - 1) / 2) * wide / self.pitch
        angles = torch.arange(views, device=device) * (math.pi / views)
        self._rays = [
            (columns * angle.cos() + rows[:, None] * angle.sin()).flatten() + (self.elements - 1) / 2
            for angle in angles
        ]

    def project(self, slices: Tensor) -> Tensor:
        """Line integrals, (..., view, element), in the unit of the slices times mm, of slices (..., y, x)."""
        flat = slices.flatten(-2)
        views = []
        for ray in self._rays:
            low = ray.floor()
            place, upper = low.to(torch.int64), ray - low
            found = torch.zeros((*flat.shape[:-1], self.elements), device=flat.device)
            found = found.index_add(-1, place, flat * (1 - upper)).index_add(-1, place + 1, flat * upper)
            views.append(found)
        return torch.stack(views, dim=-2) * (self._area / self.pitch)

    def reconstruct(self, sinograms: Tensor) -> Tensor:
        """Filtered back-projection, (..., y, x), of sinograms (..., view, element)."""
        filtered = self._ramped(sinograms)
        total = torch.zeros((), device=filtered.device)
        for ray, view in zip(self._rays, filtered.unbind(dim=-2), strict=True):
            low = ray.floor()
            place, upper = low.to(torch.int64), ray - low
            total = total + view.index_select(-1, place) * (1 - upper) + view.index_select(-1, place + 1) * upper
        return total.mul(math.pi / self.views).reshape(*sinograms.shape[:-2], *self.shape)

    def _ramped(self, sinograms: Tensor) -> Tensor:
        """The ramp filter of Ramachandran and Lakshminarayanan, https://doi.org/10.1073/pnas.68.9.2236."""
        length = 2 ** math.ceil(math.log2(2 * self.elements))
        places = torch.fft.fftfreq(length, 1 / length, device=sinograms.device)
        odd = places.remainder(2) == 1
        kernel = torch.where(odd, -1 / (math.pi * places) ** 2, 0.0)
        kernel[0] = 0.25
        response = torch.fft.rfft(kernel).real / self.pitch
        spectrum = torch.fft.rfft(pad(sinograms, (0, length - self.elements))) * response
        found: Tensor = torch.fft.irfft(spectrum, length)
        return found[..., : self.elements]

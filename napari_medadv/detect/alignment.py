"""Alignment: fine detail that points where the decision's gradient does, a matched filter for Simon-Gabriel et al. 2019, https://arxiv.org/abs/1802.01421."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.squeeze import Squeeze, gaussian, median
from napari_medadv.detect.suspect import Suspect


@dataclass(frozen=True, slots=True)
class Alignment:
    """The cosine between what a filter removes and the gradient of the decision's margin, in standard deviations of chance.

    Noise and compression leave detail that knows nothing of the network; the detail that an attack leaves was made from
    its gradient.
    """

    needs: ClassVar[tuple[Need, ...]] = ("gradient",)
    fused: ClassVar[bool] = True
    evaded_by: ClassVar[str] = (
        "query attacks, smooth changes, patches, and attacks that keep their detail off the gradient"
    )

    @property
    def passes(self) -> int:
        """One forward and one backward."""
        return 3

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """Standard deviations from chance: (batch,)."""
        product, size = self._product(suspect)
        return product.flatten(1).sum(dim=1) / size

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """Where detail and gradient agree."""
        product, size = self._product(suspect)
        local = gaussian(product.detach(), suspect, Squeeze())
        return (local / size.view(-1, 1, 1, 1, 1)).clamp_min(0).sum(dim=1, keepdim=True)

    def _product(self, suspect: Suspect) -> tuple[Tensor, Tensor]:
        attached = suspect.values.requires_grad
        values = suspect.values if attached else suspect.values.detach().requires_grad_(True)
        with torch.enable_grad():
            before = suspect.presence(values)
            margin = suspect.confidence(values, before.detach() > 0) if attached else before.abs().amin(dim=1)
            (gradient,) = torch.autograd.grad(margin.sum(), values, create_graph=attached)
        detail = values - median(values, suspect, Squeeze())
        detail = detail if attached else detail.detach()
        most = 4 * detail.detach().abs().flatten(1).mean(dim=1).view(-1, 1, 1, 1, 1)
        detail = torch.maximum(torch.minimum(detail, most), -most)
        product = detail * gradient
        sizes = product.square().flatten(1).sum(dim=1).sqrt()
        return product, sizes.clamp_min(torch.finfo(values.dtype).tiny)

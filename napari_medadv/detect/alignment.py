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
    """How much fine detail, as a share of the display window, lies along the sign of the gradient of the decision's margin.

    Noise and compression leave detail that knows nothing of the network; the detail that an attack leaves was made from
    its gradient. The gradient is that of the smoothed image, which is nearer to the one that the attack began at.
    """

    needs: ClassVar[tuple[Need, ...]] = ("gradient",)
    fused: ClassVar[bool] = True
    evaded_by: ClassVar[str] = (
        "query attacks, smooth changes, patches, and attacks that keep their detail off the gradient"
    )

    @property
    def passes(self) -> int:
        """Two forward and one backward."""
        return 4

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The mean over the image, in thousandths of the window: (batch,)."""
        return 1000 / suspect.range * self._product(suspect).flatten(1).mean(dim=1)

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """Where detail and gradient agree."""
        local = gaussian(self._product(suspect).detach(), suspect, Squeeze())
        return local.clamp_min(0).sum(dim=1, keepdim=True)

    def _product(self, suspect: Suspect) -> Tensor:
        """Detail along the sign of the gradient, in the unit of the volume; differentiable in the detail, the sign is held."""
        values = suspect.values
        with torch.no_grad():
            decided = suspect.presence(values.detach()) > 0
        smooth = gaussian(values.detach(), suspect, Squeeze()).requires_grad_(True)
        with torch.enable_grad():
            margin = suspect.confidence(smooth, decided)
            (gradient,) = torch.autograd.grad(margin.sum(), smooth)
        detail = values - median(values, suspect, Squeeze())
        most = 4 * detail.detach().abs().flatten(1).mean(dim=1).view(-1, 1, 1, 1, 1)
        return torch.maximum(torch.minimum(detail, most), -most) * gradient.sign()

"""Alignment: fine detail that points where the decision's gradient does, a matched filter for Simon-Gabriel et al. 2019, https://arxiv.org/abs/1802.01421."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.detect.detail import differenced, mean
from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.squeeze import Squeeze, gaussian
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Alignment:
    """How unlike that of clean images the agreement of fine detail with the gradient of the decision's margin is.

    Noise and compression leave detail that knows nothing of the network; the detail that an attack leaves was made from
    its gradient. The pattern looked for is the sum of the gradient's signs at the image and at the smoothed image, which is
    nearer to the one that the attack began at. Anatomy is no white noise, so the filter is a whitened one, as for a
    watermark whose pattern is known: detail and pattern alike are differenced twice in both directions, and detail counts
    less where the image is rough.

    The filter's answer, in standard deviations of what chance would make of it, lies a little above zero on clean images:
    their own detail speaks for the decision. It is suspicious on both sides. Detail that speaks for the decision more than
    anatomy does was made for it; detail that speaks against it is anatomy under a decision that something else turned, or
    was made by an adversary who knows the filter.

    Attributes
    ----------
    around
        The side, in pixels, of the square over which roughness is taken; odd.
    """

    needs: ClassVar[tuple[Need, ...]] = ("gradient", "clean images")
    weight: ClassVar[float] = 0.2
    evaded_by: ClassVar[str] = (
        "query, transferred and C&W attacks, sparse and smooth changes, patches, strong JPEG 2000 after the attack, and attacks that "
        "keep their agreement where clean images have it"
    )

    around: int = 7

    def __post_init__(self) -> None:
        if self.around < 1 or self.around % 2 == 0:
            raise DetectorError(f"Alignment takes an odd number of pixels around, not {self.around}.")

    @property
    def passes(self) -> int:
        """Three forward and two backward."""
        return 7

    def fit(self, clean: Sequence[Suspect]) -> State:
        """The median agreement of clean images, and how far the central 68 % of them lie to either side of it."""
        with torch.no_grad():
            found = torch.cat([self.agreement(each).cpu() for each in clean]).double().numpy()
        low, middle, high = np.quantile(found, [0.16, 0.5, 0.84])
        sides = max(middle - low, 1.0), max(high - middle, 1.0)
        return {"middle": np.array([middle], np.float32), "sides": np.array(sides, np.float32)}

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """The distance from the clean images' median: (batch,), in their spread on that side, at least what chance makes."""
        away = self.agreement(suspect) - float(state["middle"][0])
        below, above = (float(side) for side in state["sides"])
        return torch.where(away > 0, away / above, -away / below)

    def agreement(self, suspect: Suspect) -> Tensor:
        """The filter's answer over what chance would make of it: (batch,)."""
        product = self._product(suspect).flatten(1)
        return product.sum(dim=1) / product.square().sum(dim=1).sqrt().clamp_min(1e-9)

    def where(self, suspect: Suspect, state: State) -> Tensor:
        """Where detail speaks for the decision, or against it where the whole does so more than clean images."""
        with torch.no_grad():
            away = self.agreement(suspect) - float(state["middle"][0])
        side = torch.where(away > 0, 1.0, -1.0).view(-1, 1, 1, 1, 1)
        local = side * gaussian(self._product(suspect).detach(), suspect, Squeeze())
        return local.clamp_min(0).sum(dim=1, keepdim=True)

    def _product(self, suspect: Suspect) -> Tensor:
        """Whitened detail times whitened pattern; differentiable in the detail, pattern and roughness are held."""
        values = suspect.values
        with torch.no_grad():
            decided = suspect.presence(values.detach()) > 0
        smooth = gaussian(values.detach(), suspect, Squeeze())
        pattern = direction(suspect, values.detach(), decided) + direction(suspect, smooth, decided)
        detail = differenced(values) / (suspect.range / 255)
        return detail / (1 + mean(detail.detach().square(), self.around)) * differenced(pattern)


def direction(suspect: Suspect, values: Tensor, decided: Tensor) -> Tensor:
    """The sign of the gradient of the margin at `values`."""
    held = values.clone().requires_grad_(True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(suspect.confidence(held, decided).sum(), held)
    return gradient.sign()

"""Flip margin: how little it takes to turn the decision back; Hu, Yu, Guo, Chao and Weinberger 2019, https://arxiv.org/abs/1910.07629."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.detect.detector import Need, State
from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError

Search = Callable[[Suspect], Tensor]
"""An attack: the largest change of a voxel that turns each entry's decision, (batch,), in the unit of the volume."""


def linearised(suspect: Suspect, steps: int) -> Tensor:
    """DeepFool's steps in the Linf norm (Moosavi-Dezfooli et al. 2015, https://arxiv.org/abs/1511.04599)."""
    values = suspect.values.detach()
    with torch.no_grad():
        decided = suspect.presence(values) > 0
    turned = torch.full((len(values),), torch.inf, device=values.device)
    for _ in range(steps):
        inputs = values.clone().requires_grad_(True)
        with torch.enable_grad():
            margin = suspect.confidence(inputs, decided)
            (gradient,) = torch.autograd.grad(margin.sum(), inputs)
        reached = (values - suspect.values).flatten(1).abs().amax(dim=1)
        turned = torch.where((margin < 0) & turned.isinf(), reached, turned)
        if bool(turned.isfinite().all()):
            break
        step = 1.05 * margin.clamp_min(0).detach() / gradient.flatten(1).abs().sum(dim=1).clamp_min(1e-12)
        step = torch.minimum(step, torch.tensor(suspect.range / 8)) + 1e-3 * float(suspect.quantum.min())
        values = values - step.view(-1, 1, 1, 1, 1) * gradient.sign()
    return turned.clamp_max(suspect.range)


@dataclass(frozen=True, slots=True)
class Flip:
    """Minus the change that turns the decision, as a share of the display window: adversarial images often sit near a boundary.

    Attributes
    ----------
    steps
        Of the search.
    search
        An attack to be handed in; DeepFool's linearised steps otherwise.
    """

    needs: ClassVar[tuple[Need, ...]] = ("gradient",)
    weight: ClassVar[float] = 1.0
    evaded_by: ClassVar[str] = "attacks that drive on far past the decision (high confidence)"

    steps: int = 8
    search: Search | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise DetectorError(f"Flip takes steps >= 1, not {self.steps}.")

    @property
    def passes(self) -> int:
        """One forward and one backward a step."""
        return 1 + 3 * self.steps

    def __call__(self, suspect: Suspect, state: State) -> Tensor:
        """Minus the logarithm of the change: (batch,)."""
        return -torch.log(self.needed(suspect).clamp_min(1e-9) / suspect.range)

    def needed(self, suspect: Suspect) -> Tensor:
        """The change that turns the decision: (batch,), in the unit of the volume ("needs 0.8 HU")."""
        return self.search(suspect) if self.search is not None else linearised(suspect, self.steps)

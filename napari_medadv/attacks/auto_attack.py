"""A standard ensemble like AutoAttack, Croce and Hein 2020, https://arxiv.org/abs/2003.01690."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.apgd_t import APGDT
from napari_medadv.attacks.attack import Aim, Attack, Knowledge
from napari_medadv.attacks.fab import FAB
from napari_medadv.attacks.masking import masking
from napari_medadv.attacks.square import Square
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True)
class AutoAttack:
    """APGD on the cross-entropy, targeted APGD, FAB and Square: each only on what the ones before it left standing.

    Unlike its model it is right for two classes, one logit and several labels, because each part climbs the goal.

    Attributes
    ----------
    steps
        Of each gradient part.
    targets
        How many ways of reaching the goal are tried by the targeted parts.
    queries
        Of Square, for each entry.
    checks
        Whether to look for signs that gradients mislead: that costs some more runs.
    confidence
        How far past the decision APGD, targeted APGD and Square go, in logits. Where it is infinite, as for the
        slices of a series whose mean decides, these attack every entry as far as they can, and FAB, which looks for the
        nearest decision, is left out.
    arithmetic
        Of the network in the gradients of APGD and of the checks, as for `pgd`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "ensemble"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 100
    targets: int = 9
    queries: int = 5000
    checks: Literal["all", "cheap"] = "cheap"
    confidence: float = 0.05
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.targets < 1 or self.queries < 2:
            raise AttackError(
                f"AutoAttack takes steps and targets >= 1, and queries >= 2, not {self.steps}, {self.targets} and {self.queries}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The first stored values that reach the goal; where none does, those of the part that came nearest."""
        parts: tuple[Attack, ...] = (
            APGD(self.steps, confidence=self.confidence, arithmetic=self.arithmetic),
            APGDT(self.steps, self.targets, confidence=self.confidence, arithmetic=self.arithmetic),
            FAB(self.steps, targets=self.targets),
            Square(self.queries, confidence=self.confidence),
        )
        best, top = task.clean.clone(), torch.full((len(task),), -torch.inf, device=task.clean.device)
        far = self.confidence == torch.inf
        parts = tuple(part for part in parts if not (far and isinstance(part, FAB)))
        by_gradient = torch.zeros(len(task), dtype=torch.bool, device=top.device)
        for place, attack in enumerate(parts):
            active = (top <= (torch.inf if far else 0)).nonzero().flatten()
            if not len(active):
                break
            task.tally.section(place / (len(parts) + 1), 1 / (len(parts) + 1))
            part = task.take(active)
            here = part.stored(attack(part))
            margin = part.margin(here)
            better = margin > top[active]
            best[active[better]], top[active[better]] = here[better], margin[better]
            if not isinstance(attack, Square):
                by_gradient = top > 0
        task.tally.section(len(parts) / (len(parts) + 1), 1 / (len(parts) + 1))
        for fact in masking(task, by_gradient, top > 0, thorough=self.checks == "all", arithmetic=self.arithmetic):
            task.note(fact)
        return best

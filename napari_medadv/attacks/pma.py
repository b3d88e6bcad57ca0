"""Probability margin attack (PMA), Xie et al. 2024, https://arxiv.org/abs/2411.15210."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.adapt import adapt
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class PMA:
    """Ascent on the difference of probabilities; where those are saturated the first quarter climbs the logits.

    Attributes
    ----------
    steps
        How many in all.
    confidence
        An entry rests once its margin exceeds this, in logits.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 100
    confidence: float = 0.05

    def __post_init__(self) -> None:
        if self.steps < 4:
            raise AttackError(f"PMA takes steps >= 4, not {self.steps}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        first = self.steps // 4
        start = task.clean + task.budget.sample(task.clean, task.rng)
        adapt(best, start, "margin", steps=first, total=self.steps + 2)
        if not best.done:
            warm = best.values[best.active]
            adapt(best, warm, "probability", steps=self.steps - first, done=first + 1, total=self.steps + 2)
        return best.values

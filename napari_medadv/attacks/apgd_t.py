"""Targeted Auto-PGD (APGD-T), Croce and Hein 2020, https://arxiv.org/abs/2003.01690."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.adapt import adapt
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.sparse_ascent import from_outside
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.threat.goal import known


@dataclass(frozen=True, slots=True)
class APGDT:
    """APGD towards each way of reaching the goal in turn, the nearest first.

    With two classes, one logit, or a goal that names what is to be seen, there is one way.

    Attributes
    ----------
    steps
        Steps towards each.
    targets
        How many ways are tried.
    confidence
        An entry rests once its margin exceeds this, in logits.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 100
    targets: int = 9
    confidence: float = 0.05
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.targets < 1:
            raise AttackError(f"APGD-T takes steps >= 1 and targets >= 1, not {self.steps} and {self.targets}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        heights, order = task.ways(task.clean).sort(dim=1, descending=True)
        count = min(self.targets, known(heights))
        for rank in range(count):
            if best.done:
                break
            start = (task.clean + task.budget.sample(task.clean, task.rng))[best.active]
            way = order[best.active, rank]
            start, steps = from_outside(best, start, way, steps=self.steps)
            adapt(
                best,
                start,
                way,
                steps=steps,
                done=rank * (self.steps + 1),
                total=count * (self.steps + 1),
                arithmetic=self.arithmetic,
            )
        return best.values

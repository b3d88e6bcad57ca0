"""Auto-PGD (APGD), Croce and Hein 2020, https://arxiv.org/abs/2003.01690."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.adapt import adapt
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.sparse_ascent import from_outside
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.model.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True)
class APGD:
    """Projected ascent with momentum that finds its step length itself.

    Attributes
    ----------
    steps
        Steps of each start.
    starts
        How many random starts; an entry that rests takes no further one.
    confidence
        An entry rests once its margin exceeds this, in logits.
    loss
        What is climbed; "ratio" is the loss of the paper and the plain margin where two classes or one logit leave
        nothing to divide by.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 100
    starts: int = 1
    confidence: float = 0.05
    loss: Loss = "cross-entropy"
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.starts < 1:
            raise AttackError(f"APGD takes steps >= 1 and starts >= 1, not {self.steps} and {self.starts}.")

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        total = self.starts * (self.steps + 1)
        for count in range(self.starts):
            if best.done:
                break
            start = (task.clean + task.budget.sample(task.clean, task.rng))[best.active]
            start, steps = from_outside(best, start, self.loss, steps=self.steps)
            adapt(
                best,
                start,
                self.loss,
                steps=steps,
                done=count * (self.steps + 1),
                total=total,
                arithmetic=self.arithmetic,
            )
        return best.values

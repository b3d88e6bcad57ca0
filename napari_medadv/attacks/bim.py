"""Basic iterative method (BIM), Kurakin, Goodfellow and Bengio 2016, https://arxiv.org/abs/1607.02533."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.climb import Plain, climb, steps_given
from napari_medadv.attacks.loss import Loss
from napari_medadv.attacks.task import Task
from napari_medadv.model.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True)
class BIM:
    """Short steps from the clean image, as many as the budget is long and some more.

    Attributes
    ----------
    steps
        How many.
    step
        Length of a step as a share of epsilon.
    confidence
        An entry rests once its margin exceeds this, in logits.
    loss
        What is climbed.
    arithmetic
        Of the network in the gradients, as for `pgd`.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")

    steps: int = 10
    step: float = 0.2
    confidence: float = 0.05
    loss: Loss = "cross-entropy"
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        steps_given(self)

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met on the way."""
        best = Best(task, self.confidence)
        climb(best, task.clean, Plain(best, self.loss, self.arithmetic), steps=self.steps, step=self.step)
        return best.values

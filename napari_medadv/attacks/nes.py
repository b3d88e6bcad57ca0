"""Natural evolution strategies (NES), Ilyas, Engstrom, Athalye and Lin 2018, https://arxiv.org/abs/1804.08598."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.best import Best
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class NES:
    """Projected ascent along a gradient that is guessed from pairs of noisy queries.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    pairs
        Pairs of queries for each step.
    width
        Size of the noise, as a share of what a voxel may change by.
    step
        Length of a step as a share of epsilon.
    confidence
        An entry rests once its margin exceeds this, in logits.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "score"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    queries: int = 2000
    pairs: int = 15
    width: float = 0.5
    step: float = 0.1
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.pairs < 1 or self.queries < 2 * self.pairs + 1 or not (self.width > 0 and self.step > 0):
            raise AttackError(
                f"NES needs {2 * self.pairs + 1} queries for a step of {self.pairs} pairs, and {self.queries} were given: "
                "give more queries, fewer pairs, and width and step > 0."
            )

    def __call__(self, task: Task) -> Tensor:
        """The best stored values met."""
        best, values = Best(task, self.confidence), task.clean
        steps = self.queries // (2 * self.pairs + 1)
        linf = task.budget.norm == "Linf"
        width = self.width * task.budget.epsilon / (1.0 if linf else float(values[0].numel()) ** 0.5)
        for count in range(steps):
            part = best.part
            part.report(count, steps)
            slope = torch.zeros_like(values)
            for _ in range(self.pairs):
                noise = draw.normal(tuple(values.shape), task.rng, values) * part.grid.free
                ahead, behind = (part.margin(part.allow(values + side * width * noise)) for side in (1.0, -1.0))
                slope += ball.wide(ahead - behind, noise) * noise
            values = part.admit(values + self.step * part.budget.epsilon * part.budget.steepest(slope))
            here = part.stored(values)
            keep = best.see(here, part.margin(here))
            if best.done:
                break
            values = values if keep is None else values[keep]
        return best.values

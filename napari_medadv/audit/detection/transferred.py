"""Transferred: PGD on another classifier, Papernot, McDaniel and Goodfellow 2016, https://arxiv.org/abs/1605.07277."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.surrogate import panel
from napari_medadv.attacks.task import Task
from napari_medadv.model.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Transferred:
    """PGD that drives on, on a surrogate in memory; its `repr` names the surrogate by digest, not by path.

    Attributes
    ----------
    surrogate
        Another classifier with the same labels.
    steps
        Of PGD.
    digest
        The start of the surrogate's SHA-256.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "surrogate"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")

    surrogate: Classifier = field(repr=False)
    steps: int = 20
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", self.surrogate.sha256[:12])

    def __call__(self, task: Task) -> Tensor:
        """What fools the surrogate; the victim is asked nothing."""
        return PGD(steps=self.steps, confidence=float("inf"))(panel(task, [self.surrogate]))

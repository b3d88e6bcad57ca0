"""Repeated perturbation: one that `universal` made on other series, Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1610.08401."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.picture import kept
from napari_medadv.attacks.task import Task
from napari_medadv.attacks.universal import spread
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Repeated:
    """A perturbation that was kept, added to every slice; it learns nothing of these slices or of who reads them.

    Attributes
    ----------
    change
        The file, as `universal` keeps it (its setting `keep`).
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "nothing"
    aim: ClassVar[Aim] = "several images"
    everywhere: ClassVar[bool] = True
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1")
    needs_settings: ClassVar[tuple[str, ...]] = ("change",)
    files: ClassVar[tuple[str, ...]] = ("change",)

    change: str = ""

    def __call__(self, task: Task) -> Tensor:
        """The clean values with the change, within this budget."""
        if not self.change:
            raise AttackError("A repeated perturbation needs a change: name the file that `universal` kept.")
        return spread(kept(Path(self.change), task.clean, "change", task.unit), task)

"""Pasted patch: a picture made before, by `patch` on other series or from nature, as Brown et al. 2017 test theirs, https://arxiv.org/abs/1712.09665."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.paste import fixed, scattered
from napari_medadv.attacks.picture import kept
from napari_medadv.attacks.shape import Shape
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError


@dataclass(frozen=True, slots=True)
class Pasted:
    """A picture that was kept, put onto every slice; it learns nothing of these slices or of who reads them.

    Attributes
    ----------
    picture
        The file, as `patch` keeps it (its setting `keep`).
    size, unit, shape
        As for `patch`.
    place
        As for `patch`; nothing for a random place on each slice, wholly inside.
    degrees
        At a random place it is also turned by up to so much to either side.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "nothing"
    aim: ClassVar[Aim] = "several images"
    norms: ClassVar[tuple[str, ...]] = ("L0",)
    needs_settings: ClassVar[tuple[str, ...]] = ("picture",)
    files: ClassVar[tuple[str, ...]] = ("picture",)

    picture: str = ""
    size: float = 0.4
    unit: Literal["side", "mm"] = "side"
    place: tuple[float, ...] = ()
    shape: Shape = "disc"
    degrees: float = 22.5

    def __post_init__(self) -> None:
        if not self.size > 0 or not self.degrees >= 0:
            raise AttackError(
                f"A pasted patch takes size > 0 and degrees >= 0, not {self.size:g} and {self.degrees:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The clean values with the picture."""
        if not self.picture:
            raise AttackError("A pasted patch needs a picture: name the file that `patch` kept.")
        content = kept(Path(self.picture), task.clean, unit=task.unit)
        if self.place:
            places = fixed(task, self.size, self.unit, self.place, self.shape)
        else:
            height, width = (task.clean.shape[axis] * task.spacing[axis - 2] for axis in (3, 4))
            share = self.size / min(height, width) if self.unit == "mm" else self.size
            places = scattered(task, share, share, self.degrees, self.shape)
        return places.paste(content, task.clean, task.spacing)

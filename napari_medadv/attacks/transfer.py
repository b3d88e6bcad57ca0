"""Transfer, Papernot, McDaniel and Goodfellow 2016, https://arxiv.org/abs/1605.07277, from one or several surrogates.

The classifier that is to be fooled is asked nothing: the attack runs on others, and what would be stored is judged on
the victim. Several answer with the mean of their logits, as in https://arxiv.org/abs/1611.02770.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from napari_medadv.attacks.attack import Aim, Attack, Knowledge
from napari_medadv.attacks.refusals import finite
from napari_medadv.attacks.surrogate import panel
from napari_medadv.attacks.task import Task
from napari_medadv.catalogue import entry
from napari_medadv.errors import AttackError
from napari_medadv.model.load import load_classifier
from napari_medadv.settings import make


@dataclass(frozen=True, slots=True)
class Transfer:
    """Another attack, run on surrogates.

    Attributes
    ----------
    surrogates
        Files of classifiers, each with its card beside it; they must know the goal's labels.
    attack
        The name of the attack that fools them.
    steps
        Of that attack; 0 leaves its own.
    settings
        Its other settings, as `name=value`.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "surrogate"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")
    needs_settings: ClassVar[tuple[str, ...]] = ("surrogates",)
    files: ClassVar[tuple[str, ...]] = ("surrogates",)

    surrogates: tuple[str, ...] = ()
    attack: str = "vmi_fgsm"
    steps: int = 0
    settings: tuple[str, ...] = ()

    def __call__(self, task: Task) -> Tensor:
        """What fools the surrogates."""
        if not self.surrogates:
            raise AttackError("Transfer needs a surrogate: name the file of at least one other classifier.")
        given: dict[str, Any] = {name: value for name, _, value in (one.partition("=") for one in self.settings)}
        given |= {"steps": self.steps} if self.steps else {}
        inner: Attack = make(entry(self.attack, "napari_medadv.attacks"), given)
        finite(inner)
        classifiers = [load_classifier(Path(path), device=str(task.clean.device)) for path in self.surrogates]
        return inner(panel(task, classifiers))

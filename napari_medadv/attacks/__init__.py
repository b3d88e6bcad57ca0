"""Attacks, one a module; `names("napari_medadv.attacks")` lists them."""

from napari_medadv.attacks.perturb import Perturbation, perturb, suits
from napari_medadv.attacks.task import Attack, Task

SEAM = (
    "adam",
    "adapt",
    "best",
    "climb",
    "curve",
    "draw",
    "exchange",
    "grid",
    "loss",
    "masking",
    "outset",
    "paste",
    "perturb",
    "picture",
    "plain",
    "plane",
    "settled",
    "smallest",
    "smooth",
    "sparse_ascent",
    "surrogate",
    "task",
)

__all__ = ["Attack", "Perturbation", "Task", "perturb", "suits"]

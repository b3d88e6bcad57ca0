"""Attacks, one a module; `names("napari_medadv.attacks")` lists them."""

from napari_medadv.attacks.perturb import Perturbation, perturb, suits
from napari_medadv.attacks.task import Attack, Task

SEAM = (
    "adam",
    "adapt",
    "best",
    "capture",
    "climb",
    "cube",
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
    "projector",
    "retake",
    "settled",
    "several",
    "shape",
    "smallest",
    "smooth",
    "sparse_ascent",
    "surrogate",
    "survival",
    "task",
)

__all__ = ["Attack", "Perturbation", "Task", "perturb", "suits"]

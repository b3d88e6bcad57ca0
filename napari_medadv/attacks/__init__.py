"""Attacks, one a module; `names("napari_medadv.attacks")` lists them."""

from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.perturb import Perturbation, perturb
from napari_medadv.attacks.refusals import suits
from napari_medadv.attacks.task import Task

SEAM = (
    "adam",
    "adapt",
    "attack",
    "best",
    "capture",
    "caveats",
    "climb",
    "cube",
    "curve",
    "draw",
    "each_slice",
    "exchange",
    "extremes",
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
    "refusals",
    "retake",
    "rising",
    "settled",
    "several",
    "shape",
    "smallest",
    "smooth",
    "sparse_ascent",
    "surrogate",
    "survival",
    "tally",
    "task",
)

__all__ = ["Attack", "Perturbation", "Task", "perturb", "suits"]

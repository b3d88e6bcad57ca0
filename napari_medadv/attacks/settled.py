"""Settled: an attack whose "auto" is replaced by what a probe found, as the record of the run says, and whom it has to attack."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import TypeVar

from torch import Tensor

from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.task import Task

A = TypeVar("A", bound=Attack)


def settled(attack: A, task: Task) -> A:
    """The same attack with the arithmetic that is fastest for this task's classifier; itself where it says one, or has none.

    Parameters
    ----------
    attack
        What was asked for.
    task
        Whom it attacks; nothing is counted.
    """
    if not is_dataclass(attack) or isinstance(attack, type):
        return attack
    if getattr(attack, "arithmetic", None) != "auto":
        return attack
    found: A = replace(attack, arithmetic=task.swiftest())
    return found


def standing(task: Task, attack: Attack) -> Tensor:
    """The entries (indices) whose goal is not met by the clean values.

    They are found in the arithmetic of the attack, which is `settled`; what is near the decision is asked in float32.
    """
    return (task.margin(task.clean, arithmetic=getattr(attack, "arithmetic", "float32")) <= 0).nonzero().flatten()

"""Settled: an attack whose "auto" is replaced by what a probe found, so that the record of the run says what was done."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import TypeVar

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

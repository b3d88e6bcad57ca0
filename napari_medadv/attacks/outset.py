"""Outset: where an attack that hears only decisions begins, some values that reach the goal, however far they are."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import Smallest
from napari_medadv.attacks.smooth import smooth
from napari_medadv.attacks.task import Task
from napari_medadv.threat import ball


class Decisions:
    """The yes or no of a classifier for each entry, and how many of the queries are left.

    Attributes
    ----------
    task
        Which entries.
    smallest
        What succeeded, the smallest first.
    left
        Queries that each entry may still spend.
    """

    def __init__(self, task: Task, queries: int) -> None:
        self.task, self.smallest, self.left, self._queries = task, Smallest(task), queries, queries

    def ask(self, values: Tensor) -> Tensor:
        """Whether the stored values nearest to these reach the goal: bool, (batch,). One query for each entry."""
        self.left -= 1
        self.task.report(self._queries - self.left, self._queries)
        here = self.task.nearest(self.task.allow(values))
        return self.smallest.see(here, self.task.margin(here))

    def halve(self, near: Tensor, far: Tensor, steps: int) -> Tensor:
        """Values that succeed, nearer to `near` than `far` are: the way is halved `steps` times, or while queries last."""
        low, high = (torch.full((len(near),), end, device=near.device) for end in (0.0, 1.0))
        for _ in range(min(steps, self.left)):
            middle = (low + high) / 2
            success = self.ask(near + ball.wide(middle, near) * (far - near))
            low, high = torch.where(success, low, middle), torch.where(success, middle, high)
        return near + ball.wide(high, near) * (far - near)


def outset(decisions: Decisions, tries: int = 20) -> tuple[Tensor, Tensor]:
    """Values that reach the goal, and where such were found: (batch, channel, z, y, x) and bool (batch,).

    Flat pictures first (dark, bright, middle), then the picture turned over and inverted, then noise, coarse to fine.
    """
    task = decisions.task
    low, high = extremes(task)
    found, done = task.clean.clone(), torch.zeros(len(task), dtype=torch.bool, device=task.clean.device)
    for count in range(min(tries, decisions.left)):
        if bool(done.all()):
            break
        if count < 3:
            trial = (low + (high - low) * (0.0, 1.0, 0.5)[count]).expand_as(task.clean)
        elif count == 3:
            trial = low + high - task.clean
        elif count == 4:
            trial = task.clean.flip(4)
        else:
            width = max(0.0, task.clean.shape[-1] / 2.0 ** (count - 3))
            noise = smooth(draw.normal(tuple(task.clean.shape), task.rng, task.clean), (0.0, width, width))
            spread = noise.flatten(1).std(dim=1).clamp_min(1e-30)
            trial = task.clean + noise / ball.wide(spread, noise) * task.contrast * (0.25 if count % 2 else 1.0)
        fresh = decisions.ask(trial) & ~done
        found = torch.where(ball.wide(fresh, found), trial, found)
        done |= fresh
    return task.allow(found), done

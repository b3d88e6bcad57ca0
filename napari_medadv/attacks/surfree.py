"""SurFree, Maho, Furon and Le Merrer 2020, https://arxiv.org/abs/2011.12807."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.outset import Decisions, outset
from napari_medadv.attacks.smooth import smooth
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class SurFree:
    """Circles through the clean image: one that bends towards a random direction may reach the goal nearer to it.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    smoothness
        Width of the smoothing of random directions, as a share of the side of the image; 0 for white noise.
    angle
        The largest angle that is tried, in degrees.
    halvings
        Queries that make a successful angle larger.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "decision"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2",)

    queries: int = 1000
    smoothness: float = 0.05
    angle: float = 30.0
    halvings: int = 4

    def __post_init__(self) -> None:
        if self.queries < 30 or self.smoothness < 0 or not 0 < self.angle < 90 or self.halvings < 0:
            raise AttackError(
                f"SurFree takes queries >= 30 (to find its start), smoothness >= 0 and an angle below 90, not {self.queries}, "
                f"{self.smoothness:g} and {self.angle:g}."
            )

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        decisions = Decisions(task, self.queries)
        values, found = outset(decisions)
        if not bool(found.any()):
            return decisions.smallest.values
        values = decisions.halve(task.clean, values, 10)
        largest = torch.full((len(task),), math.radians(self.angle), device=values.device)
        while decisions.left > self.halvings + 4:
            away = values - task.clean
            distance = ball.size(away, "L2").clamp_min(1e-30)
            unit = away / ball.wide(distance, away)
            side = self._side(task, unit)
            best = torch.zeros_like(largest)
            for share in (1.0, -1.0, 0.4, -0.4):
                stand = best == 0
                if not bool(stand.any()):
                    break
                trial = largest * share
                success = decisions.ask(_bent(task, unit, side, distance, trial)) & stand
                best = torch.where(success, trial, best)
            largest = (largest * torch.where(best.abs() >= largest, 1.2, torch.where(best == 0, 0.8, 1.0))).clamp(
                1e-3, math.radians(80)
            )
            if not bool((best != 0).any()):
                continue
            low, high = best, best * 1.8
            for _ in range(self.halvings):
                middle = (low + high) / 2
                success = decisions.ask(_bent(task, unit, side, distance, middle)) & (best != 0)
                low, high = torch.where(success, middle, low), torch.where(success, high, middle)
            bent = task.allow(_bent(task, unit, side, distance, low))
            values = torch.where(ball.wide(best != 0, values), bent, values)
        decisions.halve(task.clean, values, decisions.left)
        return decisions.smallest.values

    def _side(self, task: Task, unit: Tensor) -> Tensor:
        """A random direction of length one, at right angles to `unit`."""
        width = self.smoothness * task.clean.shape[-1] * float(torch.rand(1, generator=task.rng))
        noise = smooth(draw.normal(tuple(unit.shape), task.rng, unit), (0.0, width, width)) * task.grid.free
        noise = noise - ball.wide((noise * unit).flatten(1).sum(dim=1), noise) * unit
        return noise / ball.wide(ball.size(noise, "L2").clamp_min(1e-30), noise)


def _bent(task: Task, unit: Tensor, side: Tensor, distance: Tensor, angle: Tensor) -> Tensor:
    """The point of the circle that has the way to the boundary as its diameter, at this angle from that way."""
    wide = ball.wide(angle, unit)
    return task.clean + ball.wide(distance, unit) * wide.cos() * (wide.cos() * unit + wide.sin() * side)

"""HopSkipJump, Chen, Jordan and Wainwright 2019, https://arxiv.org/abs/1904.02144."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_medadv.attacks import draw
from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.outset import Decisions, outset
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError
from napari_medadv.threat import ball


@dataclass(frozen=True, slots=True)
class HopSkipJump:
    """To the boundary, a guess of its normal from yes and no, a step along it, and again.

    Attributes
    ----------
    queries
        How often each entry may be classified.
    votes
        Queries of the first guess; later ones take more.
    halvings
        Queries of each way to the boundary.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "decision"
    aim: ClassVar[Aim] = "minimum norm"
    norms: ClassVar[tuple[str, ...]] = ("L2", "Linf")

    queries: int = 2000
    votes: int = 30
    halvings: int = 8

    def __post_init__(self) -> None:
        if self.votes < 2 or self.halvings < 1 or self.queries < 30 + self.votes:
            raise AttackError(
                f"HopSkipJump needs at least {30 + self.votes} queries for its start and one guess of {self.votes} votes, and "
                f"{self.queries} were given."
            )

    def __call__(self, task: Task) -> Tensor:
        """The smallest stored values met that reach the goal."""
        decisions, linf = Decisions(task, self.queries), task.budget.norm == "Linf"
        values, found = outset(decisions)
        if not bool(found.any()):
            return decisions.smallest.values
        values = self._to_boundary(decisions, values, linf)
        turn, voxels = 1, float(values[0].numel())
        while decisions.left > self.votes:
            distance = ball.size(values - task.clean, "Linf" if linf else "L2").clamp_min(1e-30)
            least = task.contrast.flatten() * 1e-3 * (1.0 if linf else voxels**0.5)
            width = torch.maximum(distance * (0.1 if turn == 1 else 2.0 / voxels**0.5), least)
            width = width * (voxels**0.5 if linf else 1.0)
            normal = self._normal(decisions, values, width, min(round(self.votes * turn**0.5), decisions.left - 1))
            direction = normal.sign() * task.grid.free if linf else normal
            length = distance / turn**0.5
            stand = torch.ones_like(distance, dtype=torch.bool)
            ahead = values
            for _ in range(min(self.halvings, decisions.left)):
                trial = task.allow(values + ball.wide(length, values) * direction)
                success = decisions.ask(trial) & stand
                ahead = torch.where(ball.wide(success, ahead), trial, ahead)
                stand &= ~success
                if not bool(stand.any()):
                    break
                length = torch.where(stand, length / 2, length)
            values = self._to_boundary(decisions, ahead, linf)
            turn += 1
        return decisions.smallest.values

    def _normal(self, decisions: Decisions, values: Tensor, width: Tensor, votes: int) -> Tensor:
        task = decisions.task
        plus, minus = torch.zeros_like(values), torch.zeros_like(values)
        yes = torch.zeros(len(values), device=values.device)
        for _ in range(votes):
            noise = draw.normal(tuple(values.shape), task.rng, values) * task.grid.free
            noise = noise / ball.wide(ball.size(noise, "L2").clamp_min(1e-30), noise)
            success = decisions.ask(values + ball.wide(width, noise) * noise)
            plus += noise * ball.wide(success.to(noise), noise)
            minus += noise * ball.wide((~success).to(noise), noise)
            yes += success
        mean = ball.wide(2 * yes / votes - 1, plus)
        guess = (1 - mean) * plus - (1 + mean) * minus
        guess = torch.where(mean.abs() == 1, plus - minus, guess)
        return guess / ball.wide(ball.size(guess, "L2").clamp_min(1e-30), guess)

    def _to_boundary(self, decisions: Decisions, far: Tensor, linf: bool) -> Tensor:
        clean = decisions.task.clean
        if not linf:
            return decisions.halve(clean, far, self.halvings)
        low, high = torch.zeros(len(far), device=far.device), ball.size(far - clean, "Linf")
        for _ in range(min(self.halvings, decisions.left)):
            middle = (low + high) / 2
            success = decisions.ask(clean + ball.project(far - clean, "Linf", middle))
            low, high = torch.where(success, low, middle), torch.where(success, middle, high)
        return clean + ball.project(far - clean, "Linf", high)

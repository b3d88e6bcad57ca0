"""Exchange: one changed voxel less, by trying out which other voxel serves in the place of each, and which serve from the start."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.threat.goal import NO_WAY

_OUT = 12
_TRIALS = 12
_DROPPED = 48
_ROUNDS = 16
_MANY = 48


def fewer(task: Task, smallest: Smallest, *, passes: int, candidates: int, targets: int) -> None:
    """Look for changes of fewer voxels than the fewest so far, noting them in `smallest`.

    For each entry: leave out the voxel that serves least and exchange others until the goal is reached again; where
    that fails for every way, begin anew with one voxel less: from many voxels, of which those that serve least are
    left out, and from the clean values, one voxel after the other.

    Parameters
    ----------
    task, smallest
        Whom to fool, and the changes to begin with.
    passes
        Forward and backward, for each entry; no more are spent.
    candidates
        How many voxels are tried in each place, those with the steepest gradient.
    targets
        How many ways of reaching the goal are tried from the fewest so far, the nearest first.
    """
    for entry in smallest.found.nonzero().flatten().tolist():
        row = torch.tensor([entry], device=task.clean.device)
        _Search(task.take(row), smallest, row, passes, candidates).run(targets)


class _Search:
    """The search for one entry; values are (1, channel, z, y, x), a way is int64, (1,)."""

    def __init__(self, part: Task, smallest: Smallest, row: Tensor, passes: int, candidates: int) -> None:
        self.part, self.smallest, self.row, self.candidates = part, smallest, row, candidates
        self.last = part.queries + part.gradients + passes

    @property
    def left(self) -> int:
        """How many passes may still be spent."""
        return self.last - self.part.queries - self.part.gradients

    @property
    def known(self) -> int:
        """The fewest voxels so far."""
        return int(self.smallest.size[self.row])

    def run(self, targets: int) -> None:
        """Look until nothing helps, one voxel is left, or the passes are spent."""
        if self.left < 1 or self.known < 2:
            return
        first = self._order(self.part.ways(self.part.clean)[0])
        while self.left > 2 and self.known > 1:
            known = self.known
            values, ways = self._without_one(self.smallest.values[self.row])
            for way in self._order(ways)[:targets]:
                if self.known == known:
                    self._climb(values, way, float(ways[way]))
            for way in first:
                for start in (self._lessened, self._built):
                    if self.known == known:
                        self._climb(*start(way, known - 1))
            if self.known == known:
                return

    def _order(self, ways: Tensor) -> Tensor:
        """The ways there are, (way, 1), the nearest first."""
        ranked = ways.sort(descending=True)
        return ranked.indices[ranked.values > NO_WAY, None]

    def _climb(self, values: Tensor, way: Tensor, near: float) -> None:
        """Exchange voxels for as long as `way` comes nearer than `near`, until fewer voxels reach the goal."""
        known = self.known
        while self.left > 2 and self.known == known and bool(self._changed(values).any()):
            self.part.report(0, 1)
            found, now = self._best(self._pairs(values, way), values, way)
            if now <= near and self.known == known and self.left > 4:
                found, now = self._best(self._after_each(values, way), values, way)
            if now <= near:
                return
            values, near = found, now

    def _built(self, way: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
        """Values with `count` voxels changed one by one (or, where many, some at once), the way, and how near it is."""
        values, near, each = self.part.clean, -torch.inf, -(-count // _ROUNDS)
        for done in range(0, count, each):
            if self.left <= 2:
                break
            end, gain = self._gain(values, self.part.gradient(values, way)[1])
            many = min(each, count - done)
            tops = gain.topk(min(self.candidates if many == 1 else many, len(gain))).indices
            places = tops[:, None] if many == 1 else tops[None]
            values, near = self._best([self._moved(values, place, end) for place in places], values, way)
        return values, way, near

    def _lessened(self, way: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
        """Values with `count` voxels changed: those of many that serve most together. The way, and no word how near it is."""
        values, many = self.part.clean, min(max(_MANY, 2 * count), self.part.clean[0, 0].numel())
        if self.left > 2:
            end, gain = self._gain(values, self.part.gradient(values, way)[1])
            values = self.part.nearest(self.part.allow(self._moved(values, gain.topk(many).indices, end)))
        while self.left > 2 and int(self._changed(values).sum()) > count:
            many = int(self._changed(values).sum())
            drop = many // 2 if many > _ROUNDS else 2 if 2 * many > _ROUNDS else 1
            gradient = self.part.gradient(values, way)[1]
            values = self._moved(values, self._least(values, gradient, min(drop, many - count)), self.part.clean)
        return values, way, -torch.inf

    def _without_one(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Values without the change of the voxel that matters least, and their ways, (way,)."""
        places = self._changed(values).nonzero().flatten()
        if len(places) > _DROPPED:
            places = self._least(values, self.part.gradient(values, "margin")[1], _DROPPED)
        trials = torch.cat([self._moved(values, place[None], self.part.clean) for place in places[: max(self.left, 1)]])
        ways = self._ways(trials)
        top = int(ways.amax(dim=1).argmax())
        return trials[top : top + 1], ways[top]

    def _pairs(self, values: Tensor, way: Tensor) -> list[Tensor]:
        """The exchanges of two voxels that one gradient promises most of; first, every change as far as it can go."""
        gradient = self.part.gradient(values, way)[1]
        end, gain = self._gain(values, gradient)
        serves = (gradient * (values - self.part.clean)).sum(dim=1).flatten()
        olds = self._least(values, gradient, _OUT)
        news = gain.topk(min(self.candidates, len(gain))).indices
        promise = (gain[news][None] - serves[olds][:, None]).flatten()
        trials = [self._moved(values, self._changed(values).nonzero().flatten(), end)]
        for pair in promise.topk(min(_TRIALS, len(promise))).indices.tolist():
            old, new = divmod(pair, len(news))
            trials.append(self._moved(self._moved(values, olds[old, None], self.part.clean), news[new, None], end))
        return trials

    def _after_each(self, values: Tensor, way: Tensor) -> list[Tensor]:
        """The exchanges that the gradient promises most of once a voxel is left out, for each that serves little."""
        places = self._changed(values).nonzero().flatten()
        if len(places) > _OUT:
            places = self._least(values, self.part.gradient(values, way)[1], _OUT)
        outs = torch.cat(
            [self._moved(values, place[None], self.part.clean) for place in places[: max(self.left // 3, 1)]]
        )
        _, heights, gradients = self._many(len(outs)).ascent(outs, way.expand(len(outs)))
        ends, news, promise = [], [], []
        for out, height, gradient in zip(outs[:, None], heights, gradients[:, None], strict=True):
            end, gain = self._gain(out, gradient)
            tops = gain.topk(min(self.candidates, len(gain)))
            ends.append(end)
            news.append(tops.indices)
            promise.append(height + tops.values)
        chosen = torch.stack(promise).flatten().topk(min(_TRIALS, sum(map(len, news)))).indices.tolist()
        pairs = [divmod(place, len(news[0])) for place in chosen]
        return [self._moved(outs[old, None], news[old][new, None], ends[old]) for old, new in pairs]

    def _best(self, trials: list[Tensor], values: Tensor, way: Tensor) -> tuple[Tensor, float]:
        """The trial where `way` is nearest, and how near; `values` where nothing could be tried."""
        trials = trials[: max(self.left, 0)]
        if not trials:
            return values, -torch.inf
        found = self.part.nearest(self.part.allow(torch.cat(trials)))
        near = self._ways(found)[:, way[0]]
        top = int(near.argmax())
        return found[top : top + 1], float(near[top])

    def _ways(self, values: Tensor) -> Tensor:
        """The ways of each of many values, (batch, way); the nearest is noted."""
        ways = self._many(len(values)).ways(values)
        top = int(ways.amax(dim=1).argmax())
        self.smallest.see(values[top : top + 1], ways[top : top + 1].amax(dim=1), self.row)
        return ways

    def _many(self, count: int) -> Task:
        return self.part.take(torch.zeros(count, dtype=torch.int64, device=self.row.device))

    def _gain(self, values: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """How far each voxel can go, and what that gives, (voxel,); below zero where it is changed already."""
        low, high = extremes(self.part)
        end = torch.where(gradient > 0, high, low)
        gain = (gradient * (end - values)).sum(dim=1).flatten()
        return end, gain.masked_fill(self._changed(values), -1)

    def _least(self, values: Tensor, gradient: Tensor, count: int) -> Tensor:
        """The changed voxels that serve least, at most `count`: their places."""
        places = self._changed(values).nonzero().flatten()
        serves = (gradient * (values - self.part.clean)).sum(dim=1).flatten()[places]
        return places[serves.argsort()[:count]]

    def _changed(self, values: Tensor) -> Tensor:
        """Bool, (voxel,)."""
        return (values != self.part.clean).any(dim=1).flatten()

    def _moved(self, values: Tensor, places: Tensor, target: Tensor) -> Tensor:
        """The values with the voxels at `places` as they are in `target`."""
        found = values.clone()
        found.flatten(2)[:, :, places] = target.flatten(2)[:, :, places]
        return found

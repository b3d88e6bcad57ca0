"""Exchange: one changed voxel less, by trying out which other voxel serves in the place of each."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.threat import ball


def fewer(task: Task, smallest: Smallest, *, rounds: int, candidates: int, targets: int) -> None:
    """Look for changes of fewer voxels than the fewest so far, noting them in `smallest`.

    Parameters
    ----------
    task, smallest
        Whom to fool, and the changes to begin with.
    rounds
        How many exchanges are made for each entry, at most.
    candidates
        How many voxels are tried in each place, those with the steepest gradient.
    targets
        How many ways of reaching the goal are tried, the nearest first.
    """
    for entry in smallest.found.nonzero().flatten().tolist():
        row = torch.tensor([entry], device=task.clean.device)
        part, left = task.take(row), rounds
        while left > 0:
            start = _without_one(part, smallest.values[row], candidates)
            known, best = float(smallest.size[row]), part.ways(start)
            for way in best.sort(dim=1, descending=True).indices[0, :targets, None]:
                left = _towards(part, smallest, row, start, way, left, candidates)
                if left <= 0 or float(smallest.size[row]) < known:
                    break
            if float(smallest.size[row]) >= known:
                break


def _towards(task: Task, smallest: Smallest, row: Tensor, here: Tensor, way: Tensor, left: int, candidates: int) -> int:
    """Exchange voxels for as long as `way` comes nearer, until it is reached; how many exchanges are left after that."""
    last = -torch.inf
    while left > 0:
        task.report(0, 1)
        left -= 1
        trials = _exchanges(task, here, way, candidates)
        ways = task.take(torch.zeros(len(trials), dtype=torch.int64, device=here.device)).ways(trials)
        top = int(ways[:, way[0]].argmax())
        here, near = trials[top : top + 1], float(ways[top, way[0]])
        if bool(smallest.see(here, ways[top : top + 1].amax(dim=1), row)) or near <= last:
            break
        last = near
    return left


def _without_one(task: Task, values: Tensor, candidates: int) -> Tensor:
    """Values without the change of the voxel that matters least, as the margin says."""
    trials = [_moved(values, place, task.clean) for place in _least(task, values, 4 * candidates)]
    if len(trials) < 2:
        return task.clean
    found = torch.cat(trials)
    margin = task.take(torch.zeros(len(found), dtype=torch.int64, device=values.device)).margin(found)
    top = int(margin.argmax())
    return found[top : top + 1]


def _exchanges(task: Task, values: Tensor, way: Tensor, candidates: int) -> Tensor:
    """Every change with one voxel exchanged for one of the candidates, each of which goes as far as it can."""
    low, high = extremes(task)
    _, gradient = task.gradient(values, way)
    end = torch.where(gradient > 0, high, low)
    changed = (values != task.clean).any(dim=1, keepdim=True)
    gain = (gradient * (end - values)).clamp_min(0) * ~changed
    fresh = ball.largest(gain, torch.full((1,), float(candidates), device=values.device))
    news = fresh.flatten().nonzero().flatten().tolist()
    found = [torch.where(changed, end, values)]
    for place in _least(task, values, candidates, gradient):
        without = _moved(values, place, task.clean)
        found += [_moved(without, new, end) for new in news]
    return task.nearest(task.allow(torch.cat(found)))


def _least(task: Task, values: Tensor, count: int, gradient: Tensor | None = None) -> list[int]:
    """The changed voxels of the one entry that serve least, at most `count`."""
    delta = values - task.clean
    places = (delta != 0).any(dim=1).flatten().nonzero().flatten()
    if len(places) > count:
        slope = task.gradient(values, "margin")[1] if gradient is None else gradient
        serves = (slope * delta).sum(dim=1).flatten()[places]
        places = places[serves.argsort()[:count]]
    return [int(place) for place in places]


def _moved(values: Tensor, place: int, target: Tensor) -> Tensor:
    """The values with the voxel `place` of the one entry as it is in `target`."""
    found = values.clone()
    found.flatten(2)[:, :, place] = target.flatten(2)[:, :, place]
    return found

"""The vessels of the lungs: trees that grow from the hilum to points spread through the lung.

A tree is grown as in Cuntz and others, 2010 (doi:10.1371/journal.pcbi.1000877): each point joins where new length
and path to the root are shortest together. Radii follow Murray's law: the cube of a branch's radius is the sum of
its children's cubes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes (n, [x, y, z]) and radii (n,) in mm; `parent[i]` < i is where node i hangs, the root's is -1."""

    nodes: Places
    radii: NDArray[np.float64]
    parent: NDArray[np.int64]

    def branches(self) -> list[NDArray[np.int64]]:
        """Node indices of the unbranched runs, each from its fork outward."""
        children: list[list[int]] = [[] for _ in self.parent]
        for node, parent in enumerate(self.parent):
            if parent >= 0:
                children[parent].append(node)
        runs = []
        for fork, below in enumerate(children):
            if len(below) == 1 and fork:
                continue
            for first in below:
                run = [fork, first]
                while len(children[run[-1]]) == 1:
                    run.append(children[run[-1]][0])
                runs.append(np.array(run))
        return runs


def grow(root: Places, targets: Places, rng: np.random.Generator, *, tip: float, straight: float = 0.45) -> Tree:
    """Grow a tree from `root` ([x, y, z]) to every target (n, [x, y, z]) in mm; `tip` is the radius at the ends."""
    step = 7.0
    order = np.argsort(np.linalg.norm(targets - root, axis=1))
    capacity = 40 * len(targets) + 1
    nodes, path = np.zeros((capacity, 3)), np.zeros(capacity)
    parent = np.full(capacity, -1, np.int64)
    nodes[0], count = root, 1
    for target in targets[order]:
        gap = np.linalg.norm(nodes[:count] - target, axis=1)
        near = int(np.argmin(gap + straight * path[:count]))
        start, pieces = nodes[near].copy(), max(1, int(gap[near] // step))
        previous = near
        for piece in range(1, pieces + 1):
            wander = rng.normal(0, 0.9, 3) if piece < pieces else 0.0
            nodes[count] = start + (target - start) * piece / pieces + wander
            path[count] = path[previous] + np.linalg.norm(nodes[count] - nodes[previous])
            parent[count] = previous
            previous, count = count, count + 1
    nodes, parent = nodes[:count], parent[:count]
    cubes = np.zeros(count)
    leaves = np.ones(count, bool)
    leaves[parent[1:]] = False
    cubes[leaves] = tip**3
    for node in range(count - 1, 0, -1):
        cubes[parent[node]] += cubes[node]
    return Tree(_relaxed(nodes, parent), np.cbrt(cubes), parent)


def _relaxed(nodes: Places, parent: NDArray[np.int64]) -> Places:
    """Pull each inner node towards the middle of its neighbours, so that forks open as vessels do."""
    counts = np.bincount(parent[1:], minlength=len(nodes)).astype(float)
    for _ in range(2):
        sums = np.zeros_like(nodes)
        np.add.at(sums, parent[1:], nodes[1:])
        middle = (sums / np.maximum(counts, 1)[:, None] + nodes[parent]) / 2
        inner = counts > 0
        inner[0] = False
        nodes = np.where(inner[:, None], 0.5 * nodes + 0.5 * middle, nodes)
    return nodes

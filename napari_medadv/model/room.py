"""Room: how many inputs are read at once, by the memory that a gradient takes and the memory at hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from napari_medadv.errors import ModelError

MOST = 16
"""Inputs at once: more are no faster, and a person waits longer for the next sign of life."""

SHARE = 0.25
"""Of the memory at hand, what the values that a gradient keeps may take: those between them take as much again."""

UNKNOWN = 4 * 2**30
"""Bytes at hand where nobody can tell."""


def fitting(taken: int, values: Tensor) -> int:
    """How many inputs like `values` are read at once where a gradient keeps `taken` bytes for each: a power of two up to 16."""
    found = MOST
    while found > 1 and found * taken > SHARE * bytes_at_hand(values.device):
        found //= 2
    return found


def kept_bytes(network: Callable[[Tensor], object], values: Tensor) -> int:
    """The bytes that are kept between the way forward and the way back; those of the values themselves where none are."""
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    inputs = values.detach().clone().requires_grad_(True)
    try:
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            answer = network(inputs)
    except (RuntimeError, ModelError):
        return values.nbytes
    del answer
    return max(sum(seen.values()), values.nbytes)


def bytes_at_hand(device: torch.device) -> int:
    """The memory that is free for us: of the graphics card, or of the machine and the group of processes we are in."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        free = int(found[1]) * 1024 if found else UNKNOWN
    except OSError:
        free = UNKNOWN
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return free if limit == "max" else max(0, min(free, int(limit) - int(used)))
    except (OSError, ValueError):
        return free

"""Digests: what tells two networks apart in a record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn


def of_content(content: bytes) -> str:
    """The sha256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def of_files(content: bytes, others: Iterable[Path]) -> str:
    """The sha256 of a file and of others that belong to it, in their order; an OSError where one cannot be read."""
    total = hashlib.sha256(content)
    for path in others:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def of_module(module: nn.Module) -> str:
    """The sha256 of a module's parameters and buffers, with their names, types and shapes."""
    total = hashlib.sha256()
    kept = module.state_dict()
    passing = {name: buffer for name, buffer in module.named_buffers() if name not in kept}
    for name, tensor in (*kept.items(), *passing.items()):
        if isinstance(tensor, torch.Tensor):
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()

"""Digests: what tells two networks apart in a record."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def of_content(content: bytes) -> str:
    """The sha256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def of_module(module: nn.Module) -> str:
    """The sha256 of a module's parameters and buffers, with their names, types and shapes."""
    total = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        if isinstance(tensor, torch.Tensor):
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()

"""Spill: what a gradient keeps for the way back lies on disk where memory is too small; the gradient is the same to the last bit."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import Tensor

from napari_medadv.model.room import bytes_at_hand

SMALL = 2**20
"""Bytes: a tensor that is smaller stays in memory."""

SHARE = 0.5
"""Of the memory at hand, what a gradient may keep before it is spilled."""


@contextmanager
def spilling() -> Iterator[None]:
    """What autograd keeps of the operations inside is written to files, and read again when the way back needs it.

    Only what one operation needs is in memory at a time, beside the values themselves. The files lie in the system's
    folder for temporary files and go when nothing needs them any more.
    """
    with torch.autograd.graph.saved_tensors_hooks(_pack, _unpack):
        yield


def too_large(kept: float, values: Tensor) -> bool:
    """Whether a gradient at `values` would keep more than half of the memory at hand.

    Parameters
    ----------
    kept
        Bytes that it keeps for each element of an input.
    values
        The input of the network.
    """
    wanted = kept * values.numel()
    return wanted > 256 * SMALL and wanted > SHARE * bytes_at_hand(values.device)


class _File:
    """A tensor's elements in a file that goes with this object."""

    def __init__(self, tensor: Tensor) -> None:
        dense = tensor.detach().contiguous(memory_format=_layout(tensor))
        handle, self.path = tempfile.mkstemp(prefix="medadv_", suffix=".bin")
        os.close(handle)
        weakref.finalize(self, _remove, self.path)
        self.form = torch.empty_strided(dense.shape, dense.stride(), dtype=dense.dtype, device="meta")
        held = torch.from_file(self.path, shared=True, size=dense.numel(), dtype=dense.dtype)
        held.copy_(torch.as_strided(dense, (dense.numel(),), (1,)))

    def read(self) -> Tensor:
        """The tensor, as it was."""
        found = torch.from_file(self.path, shared=False, size=self.form.numel(), dtype=self.form.dtype)
        return torch.as_strided(found, self.form.shape, self.form.stride())


def _pack(tensor: Tensor) -> Tensor | _File:
    if tensor.nbytes < SMALL or tensor.layout != torch.strided or tensor.device.type != "cpu":
        return tensor
    return _File(tensor)


def _unpack(kept: Tensor | _File) -> Tensor:
    return kept.read() if isinstance(kept, _File) else kept


def _remove(path: str) -> None:
    with suppress(OSError):
        Path(path).unlink()


def _layout(tensor: Tensor) -> torch.memory_format:
    if tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    if tensor.ndim == 5 and tensor.is_contiguous(memory_format=torch.channels_last_3d):
        return torch.channels_last_3d
    return torch.contiguous_format

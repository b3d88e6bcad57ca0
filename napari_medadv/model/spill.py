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

from napari_medadv.errors import ModelError
from napari_medadv.model.room import bytes_at_hand
from napari_medadv.room import SCRATCH, scratch

SMALL = 2**20
"""Bytes: a tensor that is smaller stays in memory."""

SHARE = 0.5
"""Of the memory at hand, what a gradient may keep before it is spilled."""


@contextmanager
def spilling() -> Iterator[None]:
    """What autograd keeps of the operations inside is written to files, and read again when the way back needs it.

    Only what one operation needs is in memory at a time, beside the values themselves. The files lie where
    mapped volumes do, and go when nothing needs them any more.
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
        self.path = self._reserved(dense.nbytes)
        self.form = torch.empty_strided(dense.shape, dense.stride(), dtype=dense.dtype, device="meta")
        held = torch.from_file(self.path, shared=True, size=dense.numel(), dtype=dense.dtype)
        held.copy_(torch.as_strided(dense, (dense.numel(),), (1,)))

    def _reserved(self, size: int) -> str:
        """A file of so many bytes, which are there: a disk that fills up while it is mapped would kill the program."""
        folder = scratch()
        try:
            handle, path = tempfile.mkstemp(prefix="medadv_", suffix=".bin", dir=folder)
            weakref.finalize(self, _remove, path)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(handle, 0, size)
            finally:
                os.close(handle)
        except OSError as error:
            raise ModelError(
                f"What a gradient of this series keeps is more than the memory holds, and cannot be kept on disk ({error.strerror or error}): "
                f"free some space in {folder}, name another folder in {SCRATCH}, or crop the series."
            ) from error
        return path

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

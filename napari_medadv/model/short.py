"""Short: a network's twin whose weights are kept in bfloat16, asked where a gradient may be rough."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn


class Short:
    """The twin of a network: made when it is first asked, and given up where the network cannot be shortened.

    Autocast narrows every weight anew each time it is asked; here that is done once, and what lies between two
    convolutions stays narrow too.

    Parameters
    ----------
    network
        Frozen, float32, in eval mode; it is not changed.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._twin: nn.Module | None = None
        self._refused = isinstance(network, torch.jit.ScriptModule)

    def __call__(self, values: Tensor) -> object:
        """What the network answers to float32 values, its floating-point tensors in float32; under the autocast of the caller."""
        if not self._refused:
            try:
                with torch.autocast(values.device.type, enabled=False):
                    return _widened(self._made()(values.bfloat16()))
            except (RuntimeError, TypeError, NotImplementedError):
                self._refused, self._twin = True, None
        return self._network(values)

    def _made(self) -> nn.Module:
        if self._twin is None:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore", FutureWarning)  # torch's own, when it copies an exported program
                self._twin = copy.deepcopy(self._network).bfloat16()
        return self._twin


def wanted(values: Tensor) -> bool:
    """Whether the caller has asked for bfloat16, by autocast."""
    kind = values.device.type
    return torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16


def _widened(answer: object) -> object:
    if isinstance(answer, Tensor):
        return answer.float() if answer.is_floating_point() else answer
    if isinstance(answer, list | tuple):
        return [_widened(part) for part in answer]
    return answer

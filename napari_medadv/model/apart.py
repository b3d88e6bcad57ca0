"""Apart: a network that writes over its input is given a copy of it, so that nobody else's values change."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Apart(nn.Module):
    """A network that is asked with a copy of its input.

    Parameters
    ----------
    network
        Begins with something like `x -= mean` or `nn.ReLU(inplace=True)`: no gradient would reach an input that is
        written over, and what is asked twice would not be the same.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: Tensor) -> object:
        """What the network answers."""
        return self.network(values.clone())


def apart(network: nn.Module, values: Tensor) -> nn.Module:
    """The network, or, where it writes over `values`, one that does not; scripts are given copies anyway."""
    if isinstance(network, torch.jit.ScriptModule):
        return network
    own = values.detach().clone(memory_format=torch.contiguous_format)
    before = own._version
    with torch.no_grad():
        network(own)
    return Apart(network) if own._version != before else network

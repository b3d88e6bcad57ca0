"""prepare(): a copy of a network that is made for being asked many times, and answers as the original does."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import nn

from napari_medadv.errors import ModelError


def still(module: nn.Module, device: torch.device) -> nn.Module:
    """A copy in eval mode with frozen parameters on `device`; the module itself is left exactly as it is.

    Raises
    ------
    ModelError
        It cannot be copied.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore", FutureWarning)  # torch's own, when it copies an exported program
            found = copy.deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise ModelError(
            f"The network {type(module).__name__} cannot be copied ({str(error).splitlines()[0][:120]}): "
            "detach tensors that it keeps between calls."
        ) from error
    try:
        found.eval()
    except NotImplementedError:
        pass  # an exported program has no modes
    for tensor in found.parameters():
        tensor.requires_grad_(False)
        tensor.grad = None
    return found.to(device)

"""Features: what the layers of a network make of an image, seen without touching the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from napari_medadv.detect.suspect import Suspect
from napari_medadv.errors import DetectorError


class _Listener(TorchFunctionMode):
    """Keeps what convolutions gave and what the last linear layer took."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: list[Tensor] = []
        self.last: Tensor | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").split(".")[0]
        if name in ("conv2d", "conv3d", "convolution") and isinstance(found, Tensor):
            self.maps.append(found.flatten(2).mean(dim=2))
        elif name in ("linear", "addmm") and args:
            taken = args[1] if name == "addmm" else args[0]
            if isinstance(taken, Tensor) and taken.ndim == 2:
                self.last = taken
        return found


def layers(suspect: Suspect, depth: int = 3) -> tuple[Tensor, ...]:
    """The features of the suspect: each (batch, feature), the deepest last; differentiable.

    Parameters
    ----------
    suspect
        What is looked at.
    depth
        How many convolutions are asked, evenly over the network, beside the input of its last linear layer.

    Raises
    ------
    DetectorError
        The network does not let its layers be seen.
    """
    listener = _Listener()
    with listener:
        suspect.classifier.logits(suspect.values, suspect.intake)
    maps = [found for found in listener.maps if len(found) == len(suspect.values)]
    chosen = [maps[round((index + 1) * len(maps) / (depth + 1)) - 1] for index in range(depth)] if maps else []
    if listener.last is not None and len(listener.last) == len(suspect.values):
        chosen.append(listener.last)
    elif maps:
        chosen.append(maps[-1])
    if not chosen:
        raise DetectorError(
            f"The layers of {suspect.classifier.name} cannot be seen (TorchScript and query-only networks hide them): attach it as .pt2, "
            "or leave feature detectors out."
        )
    return tuple(found.float() for found in chosen)


def bank(clean: list[Suspect] | tuple[Suspect, ...], depth: int = 3) -> list[Tensor]:
    """The features of all clean images, a tensor (image, feature) a layer."""
    with torch.no_grad():
        seen = [layers(suspect, depth) for suspect in clean]
    return [torch.cat(parts) for parts in zip(*seen, strict=True)]

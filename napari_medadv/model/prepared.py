"""prepare(): a copy of a network that is made for being asked many times, and answers as the original does."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from napari_medadv.errors import ModelError
from napari_medadv.model.answers import Answers
from napari_medadv.model.folding import folded
from napari_medadv.model.lean import lean
from napari_medadv.model.short import Short, wanted

TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A frozen network and the memory layout that it likes.

    Attributes
    ----------
    network
        In eval mode, without gradients of its own.
    layout
        How its input lies in memory.
    words
        What was done to it, in a few words; "" for nothing.
    """

    network: nn.Module
    layout: torch.memory_format = torch.contiguous_format
    words: str = ""
    short: Short = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "short", Short(self.network))

    def __call__(self, values: Tensor) -> object:
        """What the network answers; in bfloat16 under such an autocast."""
        values = values.contiguous(memory_format=self.layout)
        if wanted(values):
            return self.short(values)
        if isinstance(self.network, torch.jit.ScriptModule):
            # The profiling executor rewrites a script after its first calls, and the last bits change with it.
            with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                return self.network(values.clone())  # it may write over what it is given
        return self.network(values)


def prepare(module: nn.Module, probe: Tensor) -> Prepared:
    """The fastest form of a still network whose answers to `probe` are the same to 1e-4, and its gradients as good.

    Batch norms are folded and slices lie channels last; where either changes the answers, it is left.

    Parameters
    ----------
    module
        From `still`; it is not changed.
    probe
        Ordinary inputs, float32 (batch, ...).
    """
    plain = Prepared(module)
    wanted = _response(plain, probe)
    for candidate in _candidates(module, probe):
        try:
            found = _response(candidate, probe)
        except (RuntimeError, ModelError):
            continue
        close = (found[0] - wanted[0]).abs() <= TOLERANCE * wanted[0].abs().clamp_min(1)
        if bool(close.all()) and _same_way(found[1], wanted[1]):
            return candidate
    return plain


def gradient(network: Answers, values: Tensor) -> Tensor | None:
    """The gradient of a weighted sum of the logits at `values`, of their shape; None where none reaches them."""
    inputs = values.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        try:
            answers = network(inputs)
            if not answers.requires_grad:
                return None
            (found,) = torch.autograd.grad((answers * _weights(answers)).sum(), inputs, allow_unused=True)
        except (RuntimeError, NotImplementedError):
            return None
    return found


def _weights(answers: Tensor) -> Tensor:
    """One weight a label, so that the logits of a softmax do not cancel."""
    return torch.linspace(0.5, 1.5, answers.shape[-1], device=answers.device)


def _response(prepared: Prepared, probe: Tensor) -> tuple[Tensor, Tensor | None]:
    """Answers and gradient; where torch.no_grad() is lost when a graph is made, only the gradient tells."""
    with torch.no_grad():
        answers = Answers(prepared)(probe)
    return answers, gradient(Answers(prepared), probe)


def _same_way(found: Tensor | None, wanted: Tensor | None) -> bool:
    """Whether two gradients are one within 5 % (L2); the last bits of a value may turn a ReLU or a maximum on or off."""
    if found is None or wanted is None:
        return found is wanted
    return bool((found - wanted).norm() <= 0.05 * wanted.norm())


def still(module: nn.Module, device: torch.device) -> nn.Module:
    """A copy in eval mode with frozen single-precision parameters on `device`; the module itself is left exactly as it is.

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
    return found.to(device).float()


def _candidates(module: nn.Module, probe: Tensor) -> Iterator[Prepared]:
    if isinstance(module, torch.jit.ScriptModule):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                frozen: Any = torch.jit.freeze(module)
            except RuntimeError:
                return
        yield Prepared(frozen, words="frozen")
        return
    found = folded(module)
    words = f"{found.merged} batch norms folded into convolutions, {found.alone} into one operation" if found else ""
    network = found.network if found else module
    if probe.ndim == 4:
        told = f"{words}{words and ', '}channels last"
        fewer = lean(network, probe)
        if fewer:
            yield Prepared(_channels_last(fewer), torch.channels_last, f"{told}, fewer passes")
        yield Prepared(_channels_last(network), torch.channels_last, told)
    if found:
        yield Prepared(network, words=words)
    if found and probe.ndim == 4:
        yield Prepared(_channels_last(module), torch.channels_last, "channels last")


def _channels_last(network: nn.Module) -> nn.Module:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)
        return copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

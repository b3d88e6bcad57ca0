"""Folding: a batch norm in eval mode is one multiplication and one addition a channel, and a convolution can do both.

A network is rewritten as an `fx` graph. A batch norm whose input is a convolution that nothing else reads goes into its
weights; any other one (DenseNet's, before the ReLU) becomes one `addcmul`, whose gradient is far less work than that of
a batch norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

_AXES: dict[type[nn.Module], int] = {nn.BatchNorm2d: 2, nn.BatchNorm3d: 3}
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CONVOLVE = tuple(
    overload
    for packet in (torch.ops.aten.conv1d, torch.ops.aten.conv2d, torch.ops.aten.conv3d)
    for overload in (packet.default, packet.padding)
)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A rewritten network: how many of its batch norms went into convolutions, and how many stand alone."""

    network: fx.GraphModule
    merged: int
    alone: int


def folded(network: nn.Module) -> Folded | None:
    """The network with its batch norms folded; None where it has none, or where no graph can be made of it.

    Parameters
    ----------
    network
        In eval mode and frozen. It is not changed; the new one shares what needs no change.
    """
    graph = graph_of(network)
    if graph is None:
        return None
    found = fx.GraphModule(network, graph)
    counts = [0, 0]
    for node in list(found.graph.nodes):
        try:
            norm = _norm(found, node)
            if norm is not None:
                counts[_replace(found, node, *norm, f"folded_{sum(counts)}")] += 1
        except LookupError:
            continue
    if not any(counts):
        return None
    found.graph.eliminate_dead_code()
    found.delete_all_unused_submodules()
    found.recompile()
    return Folded(found, *counts)


def graph_of(network: nn.Module) -> fx.Graph | None:
    """A graph of the network that may be changed; None where its path depends on values, or it is a script."""
    if isinstance(network, fx.GraphModule):
        copied = fx.Graph()
        copied.output(copied.graph_copy(network.graph, {}))
        return copied
    try:
        return fx.Tracer().trace(network)
    except Exception:  # tracing runs the network's own code, which may fail in any way
        return None


def _norm(network: fx.GraphModule, node: fx.Node) -> tuple[Tensor, Tensor] | None:
    """Scale and shift, each float64 (channel,), of a node that is a batch norm of fixed statistics."""
    parts: list[Any]
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        if type(module) not in _NORMS or module.training:
            return None
        parts = [module.weight, module.bias, module.running_mean, module.running_var, module.eps]
    elif node.op == "call_function" and node.target is torch.ops.aten.batch_norm.default:
        if len(node.args) < 8 or node.args[5] is not False:
            return None
        parts = [*(constant(network, argument) for argument in node.args[1:5]), node.args[7]]
    else:
        return None
    weight, bias, mean, variance, epsilon = parts
    if mean is None or variance is None:
        return None
    scale = (variance.double() + epsilon).rsqrt() * (1.0 if weight is None else weight.double())
    return scale, (0.0 if bias is None else bias.double()) - mean.double() * scale


def _replace(network: fx.GraphModule, node: fx.Node, scale: Tensor, shift: Tensor, name: str) -> int:
    """Do a batch norm's work elsewhere: 0 where it went into a convolution, 1 where it stands alone."""
    source = node.args[0] if node.args else node.kwargs["input"]
    if not isinstance(source, fx.Node):
        raise LookupError
    if len(source.users) == 1 and _merge(network, source, scale, shift, name):
        node.replace_all_uses_with(source)
        network.graph.erase_node(node)
        return 0
    shape = (1, -1, *[1] * _axes(network, node))
    with network.graph.inserting_before(node):
        factor = keep(network, f"{name}_scale", scale.float().view(shape))
        offset = keep(network, f"{name}_shift", shift.float().view(shape))
        node.replace_all_uses_with(network.graph.call_function(torch.addcmul, (offset, source, factor)))
    network.graph.erase_node(node)
    return 1


def _merge(network: fx.GraphModule, node: fx.Node, scale: Tensor, shift: Tensor, name: str) -> bool:
    """Put scale and shift into the convolution at `node`, with constants of this name; False where it is none."""
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        if type(module) not in _CONVOLUTIONS:
            return False
        network.add_module(name, nn.utils.fusion.fuse_conv_bn_eval(module, _as_norm(scale, shift)))  # type: ignore[type-var]  # any convolution
        node.target = name
        return True
    if node.op != "call_function" or node.target not in _CONVOLVE or len(node.args) < 2:
        return False
    weight = constant(network, node.args[1])
    bias = constant(network, node.args[2] if len(node.args) > 2 else node.kwargs.get("bias"))
    if weight is None:
        return False
    spread = scale.view(-1, *[1] * (weight.ndim - 1))
    moved = shift if bias is None else shift + bias.double() * scale
    with network.graph.inserting_before(node):
        constants = (
            keep(network, f"{name}_weight", (weight.double() * spread).to(weight.dtype)),
            keep(network, f"{name}_bias", moved.to(weight.dtype)),
        )
    node.args = (node.args[0], *constants, *node.args[3:])
    node.kwargs = {key: value for key, value in node.kwargs.items() if key != "bias"}
    return True


def _as_norm(scale: Tensor, shift: Tensor) -> nn.BatchNorm2d:
    """A batch norm of these very numbers: mean 0, variance 1, epsilon 0."""
    norm = nn.BatchNorm2d(len(scale), eps=0.0, device=scale.device).eval().requires_grad_(False)
    norm.weight = nn.Parameter(scale.float(), requires_grad=False)
    norm.bias = nn.Parameter(shift.float(), requires_grad=False)
    return norm


def _axes(network: fx.GraphModule, node: fx.Node) -> int:
    """How many spatial axes a batch norm's input has."""
    if node.op == "call_module":
        return _AXES[type(network.get_submodule(str(node.target)))]
    return int(node.meta["val"].ndim) - 2


def constant(network: fx.GraphModule, argument: object) -> Tensor | None:
    """The tensor that a graph reads from the module; None for None, LookupError where it is computed."""
    if argument is None:
        return None
    if not isinstance(argument, fx.Node) or argument.op != "get_attr":
        raise LookupError
    found: object = network
    for name in str(argument.target).split("."):
        found = getattr(found, name)
    if not isinstance(found, Tensor):
        raise LookupError
    return found


def keep(network: fx.GraphModule, name: str, tensor: Tensor) -> fx.Node:
    """A node that reads a tensor, which the module keeps from now on."""
    network.register_buffer(name, tensor)
    return network.graph.get_attr(name)

"""Lean: fewer passes over what lies between two convolutions, forward and back.

A network is rewritten as an `fx` graph, after its batch norms were folded. A positive scale before a ReLU goes into
the convolution behind it, a ReLU writes over its input where nothing else reads that, and a linear layer behind a
flatten reads slices that lie channels last as they lie.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from napari_medadv.model.folding import constant, graph_of, keep

_ATEN = torch.ops.aten
_RELU = (torch.relu, F.relu, _ATEN.relu.default)
_RELU_IN_PLACE = (torch.relu_, _ATEN.relu_.default)
_FRESH = (
    torch.addcmul,
    torch.add,
    operator.add,
    torch.cat,
    _ATEN.add.Tensor,
    _ATEN.conv2d.default,
    _ATEN.conv2d.padding,
    _ATEN.linear.default,
)
"""Their result is new, and their gradient does not ask for it."""


def lean(network: nn.Module, probe: Tensor) -> fx.GraphModule | None:
    """The network with fewer passes, for slices that lie channels last; None where there is nothing to spare.

    Parameters
    ----------
    network
        In eval mode and frozen. It is not changed; the new one shares what needs no change.
    probe
        Ordinary inputs, float32 (batch, channel, y, x): they tell the sizes inside.
    """
    graph = graph_of(network)
    if graph is None:
        return None
    found = fx.GraphModule(network, graph)
    try:
        with torch.no_grad():
            ShapeProp(found).propagate(probe[:1])
    except RuntimeError:
        return None
    changed = 0
    for place, node in enumerate(list(found.graph.nodes)):
        try:
            changed += _scale(found, node, f"lean_{place}")
            changed += _in_place(found, node)
            changed += _flat(found, node, f"lean_{place}")
        except LookupError:
            continue
    if not changed:
        return None
    found.graph.eliminate_dead_code()
    found.delete_all_unused_submodules()
    found.recompile()
    return found


class Flat(nn.Module):
    """A linear layer that reads slices (batch, channel, y, x), which lie channels last, without putting them in order.

    Parameters
    ----------
    weight, bias
        Of the layer, for values in the order channel, y, x.
    shape
        (channel, y, x).
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("weight", weight.detach().reshape(-1, *shape).permute(0, 2, 3, 1).flatten(1))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, values: Tensor) -> Tensor:
        """(batch, feature)."""
        if tuple(values.shape[1:]) != self.shape:
            channel, y, x = self.shape
            weight = self.weight.view(-1, y, x, channel).permute(0, 3, 1, 2).flatten(1)
            return F.linear(values.flatten(1), weight, self.bias)
        return F.linear(values.permute(0, 2, 3, 1).flatten(1), self.weight, self.bias)


def _scale(network: fx.GraphModule, node: fx.Node, name: str) -> int:
    """relu(x * scale + shift) is scale * relu(x + shift / scale) for a positive scale, and a convolution does the rest."""
    if node.target is not torch.addcmul or len(node.args) != 3 or not _alone(relu := _reader(node)):
        return 0
    reader = _reader(relu)
    if not _rectifies(network, relu) or reader.args[0] is not relu:
        return 0
    shift, source, scale = node.args
    factor, offset = constant(network, scale), constant(network, shift)
    if factor is None or offset is None or not bool((factor > 0).all()):
        return 0
    moved = (offset.double() / factor.double()).float()
    if not bool(moved.isfinite().all()) or not _weigh(network, reader, factor.flatten(), name):
        return 0
    with network.graph.inserting_before(node):
        added = network.graph.call_function(torch.add, (source, keep(network, f"{name}_shift", moved)))
    added.meta = dict(node.meta)
    node.replace_all_uses_with(added)
    network.graph.erase_node(node)
    if relu.op != "call_module" or not network.get_submodule(str(relu.target)).inplace:
        _in_place(network, relu)
    return 1


def _weigh(network: fx.GraphModule, node: fx.Node, factor: Tensor, name: str) -> bool:
    """Multiply what a convolution reads of each channel; False where the node is none that could."""
    wide = (1, -1, 1, 1)
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        if type(module) is not nn.Conv2d or module.groups != 1 or module.padding_mode != "zeros":
            return False
        network.add_module(name, _with_weight(module, (module.weight.double() * factor.double().view(wide)).float()))
        node.target = name
        return True
    if node.target is not _ATEN.conv2d.default or (len(node.args) > 6 and node.args[6] != 1) or "groups" in node.kwargs:
        return False
    weight = constant(network, node.args[1])
    if weight is None or weight.ndim != 4:
        return False
    with network.graph.inserting_before(node):
        scaled = keep(network, f"{name}_weight", (weight.double() * factor.double().view(wide)).to(weight.dtype))
    node.args = (node.args[0], scaled, *node.args[2:])
    return True


def _with_weight(module: nn.Conv2d, weight: Tensor) -> nn.Conv2d:
    made = nn.Conv2d(
        module.in_channels,
        module.out_channels,
        module.kernel_size,  # type: ignore[arg-type]
        module.stride,  # type: ignore[arg-type]
        module.padding,  # type: ignore[arg-type]
        module.dilation,  # type: ignore[arg-type]
        bias=False,
        device="meta",
    )
    made.weight = nn.Parameter(weight, requires_grad=False)
    made.bias = module.bias
    return made.eval()


def _in_place(network: fx.GraphModule, node: fx.Node) -> int:
    """Let a ReLU write over its input, where that is new and only it reads it."""
    if not _rectifies(network, node) or _writes(network, node):
        return 0
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node) or not _alone(source):
        return 0
    if source.op == "call_module":
        fresh = type(network.get_submodule(str(source.target))) in (nn.Conv2d, nn.Linear)
    else:
        fresh = source.target in _FRESH
    if not fresh:
        return 0
    with network.graph.inserting_before(node):
        made = network.graph.call_function(torch.relu_, (source,))
    made.meta = dict(node.meta)
    node.replace_all_uses_with(made)
    network.graph.erase_node(node)
    return 1


def _flat(network: fx.GraphModule, node: fx.Node, name: str) -> int:
    """Let a linear layer read what a flatten reads."""
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node) or not _flattens(network, node) or not _alone(node):
        return 0
    shape = tuple(getattr(source.meta.get("tensor_meta"), "shape", ()))
    reader = _reader(node)
    if len(shape) != 4 or 1 in (shape[1], shape[2] * shape[3]) or reader.args[0] is not node:
        return 0
    weight: Tensor | None
    bias: Tensor | None
    if reader.op == "call_module":
        module = network.get_submodule(str(reader.target))
        if type(module) is not nn.Linear:
            return 0
        weight, bias = module.weight, module.bias
    elif reader.target is _ATEN.linear.default:
        weight = constant(network, reader.args[1])
        bias = constant(network, reader.args[2]) if len(reader.args) > 2 else None
    else:
        return 0
    if weight is None or weight.shape[1] != shape[1] * shape[2] * shape[3]:
        return 0
    network.add_module(name, Flat(weight, bias, (shape[1], shape[2], shape[3])))
    with network.graph.inserting_before(reader):
        made = network.graph.call_module(name, (source,))
    made.meta = dict(reader.meta)
    reader.replace_all_uses_with(made)
    network.graph.erase_node(reader)
    network.graph.erase_node(node)
    return 1


def _alone(node: fx.Node) -> bool:
    """Whether one node reads this one, once."""
    return len(node.users) == 1 and _reader(node).all_input_nodes.count(node) == 1


def _reader(node: fx.Node) -> fx.Node:
    """The one node that reads this one; LookupError where there are others, or none."""
    if len(node.users) != 1:
        raise LookupError
    return next(iter(node.users))


def _rectifies(network: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return type(network.get_submodule(str(node.target))) is nn.ReLU
    return node.op == "call_function" and node.target in (*_RELU, *_RELU_IN_PLACE)


def _writes(network: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a ReLU is in place already, or may be."""
    if node.op == "call_module":
        return bool(network.get_submodule(str(node.target)).inplace)
    return node.target in _RELU_IN_PLACE or bool(node.kwargs)


def _flattens(network: fx.GraphModule, node: fx.Node) -> bool:
    """Whether everything but the batch becomes one axis."""
    rest: tuple[Any, ...] = node.args[1:]
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        return type(module) is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1)
    named = node.target in (torch.flatten, _ATEN.flatten.using_ints) or (node.op, node.target) == (
        "call_method",
        "flatten",
    )
    return named and not node.kwargs and rest in ((1,), (1, -1))

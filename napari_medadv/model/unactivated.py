"""The end of a network taken off: the softmax or sigmoid that it applies to its own logits.

The logarithm of a probability undoes it too, but where a float32 probability is 0 or 1 nothing is left to climb: an
attack would fail for lack of a gradient, and the network look robust.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from napari_medadv.errors import ModelError
from napari_medadv.model.answers import Answers
from napari_medadv.model.folding import graph_of

Activation = Literal["softmax", "sigmoid"]
_ATEN = torch.ops.aten
_ENDS: dict[Activation, tuple[object, ...]] = {
    "softmax": (_ATEN.softmax.int, _ATEN._softmax.default, torch.softmax, F.softmax, "softmax", nn.Softmax),
    "sigmoid": (_ATEN.sigmoid.default, torch.sigmoid, F.sigmoid, "sigmoid", nn.Sigmoid),
}


def unactivated(network: nn.Module, activation: Activation, probe: Tensor) -> nn.Module | None:
    """The network without its last step, if that is this activation; None where it is not, or cannot be taken off.

    Parameters
    ----------
    network
        Still; it is not changed.
    probe
        Ordinary inputs: at these the activation of the new answers must be the old answers.
    """
    graph = graph_of(network)
    if graph is None:
        return None
    found = fx.GraphModule(network, graph)
    output, answer = _answer(found.graph)
    if not isinstance(answer, fx.Node) or _kind(network, answer) not in _ENDS[activation]:
        return None
    source = answer.args[0] if answer.args else answer.kwargs.get("input")
    if not isinstance(source, fx.Node):
        return None
    output.args = (source,)
    found.graph.eliminate_dead_code()
    found.recompile()
    try:
        with torch.no_grad():
            before, after = Answers(network)(probe), Answers(found)(probe)
    except (RuntimeError, ModelError):
        return None
    again = after.softmax(dim=1) if activation == "softmax" else after.sigmoid()
    return found if again.shape == before.shape and bool(((again - before).abs() < 1e-5).all()) else None


def ends_in(network: nn.Module, activation: Activation) -> bool:
    """Whether the last step of the network's graph is this activation; False, too, where there is no graph."""
    graph = graph_of(network)
    answer = None if graph is None else _answer(graph)[1]
    return isinstance(answer, fx.Node) and _kind(network, answer) in _ENDS[activation]


def _answer(graph: fx.Graph) -> tuple[fx.Node, object]:
    """The output of a graph, and what it gives back: the first where these are several."""
    output = next(node for node in graph.nodes if node.op == "output")
    answer: object = output.args[0]
    while isinstance(answer, list | tuple) and answer:
        answer = answer[0]
    return output, answer


def _kind(network: nn.Module, node: fx.Node) -> object:
    return type(network.get_submodule(str(node.target))) if node.op == "call_module" else node.target

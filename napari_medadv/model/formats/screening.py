"""Screening: what the graph of a .pt2 file may say before torch reads it.

torch turns parts of that JSON into Python: names become the source text of `forward`, symbolic sizes are evaluated by
sympy, operators are looked up from `torch` downwards (`torch.os.system` would be found), guards are executed, and a
tree may name a module to import. So every text must be of the kind that its place needs, and what no prediction
needs (guards, stack traces, module names) is left out.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping
from typing import Any

import torch

from napari_medadv.errors import ModelError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,300}")
_PATH = re.compile(r"[A-Za-z0-9_]{1,200}(\.[A-Za-z0-9_]{1,200})*")
_TEXT = re.compile(r"[A-Za-z0-9_ .,:>+*()-]{0,200}")
_TENSOR_OPERATOR = re.compile(r"torch\.ops\.(aten|prims)\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)")
_OPERATOR = re.compile(
    r"torch\.ops\.higher_order\.wrap_with_(set_grad_enabled|autocast)"
    r"|torch\.sym_(int|float|not|max|min|sum|ite|sqrt)"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|neg|pos|pow|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc|sqrt)"
)
_FORBIDDEN = ("from_file", "_print", "set", "set_", "set_data", "record_stream")
_SIZE_WORDS = frozenset(
    "Symbol Integer Rational Float Add Mul Pow Min Max Mod PythonMod FloorDiv CleanDiv CeilDiv ModularIndexing Where "
    "CeilToInt FloorToInt TruncToInt RoundToInt TruncToFloat ToFloat IntTrueDiv FloatTrueDiv PowByNatural FloatPow "
    "Identity True False true false positive integer nonnegative negative real zero nonzero precision "
    "Eq Ne Lt Le Gt Ge StrictLessThan LessThan StrictGreaterThan GreaterThan Equality Unequality And Or Not".split()
)
_SIZE_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|'([a-z]+\d+)'|\d+(?:\.\d+)?|//|\*\*|[()+\-*/,=<>!])")
_SIZE_SYMBOL = re.compile(r"[a-z]{1,3}\d{1,6}")
_TREES = ("builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict", None)
_DROPPED: dict[str, object] = {"guards_code": [], "metadata": {}, "treespec_namedtuple_fields": {}}


def screened(content: bytes) -> bytes:
    """The program of a .pt2 file, with everything left out that a prediction does not need.

    Raises
    ------
    ModelError
        It says something that torch would run as code, or that is no network's graph.
    """
    program = _parse(content)
    try:
        calls = [call for call in program["graph_module"]["module_call_graph"] if call["fqn"] == ""]
        program["graph_module"]["module_call_graph"] = calls
        for call in calls:
            for spec in ("in_spec", "out_spec"):
                call["signature"][spec] = json.dumps(_tree(json.loads(call["signature"][spec]), top=True))
    except (KeyError, TypeError, ValueError) as error:
        raise _refused("a program without its graph", str(error)) from error
    return json.dumps(_walk(program, "")).encode()


def payloads(content: bytes, kind: str) -> bytes:
    """The list of the tensors of a .pt2 file, `kind` of them ("weight" or "tensor"), none of them pickled.

    Raises
    ------
    ModelError
        One is pickled, or is no tensor.
    """
    config = _parse(content).get("config")
    if not isinstance(config, dict):
        raise _refused("no list of tensors", repr(config))
    for name, meta in config.items():
        if not isinstance(meta, dict) or not re.fullmatch(rf"{kind}_\d+", str(meta.get("path_name"))):
            raise _refused("a constant that is no plain tensor", name)
        if meta.get("use_pickle") is not False:
            raise _refused("a pickled tensor", name)
    return json.dumps({"config": _walk(config, "")}).encode()


def _parse(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise _refused("broken JSON", str(error)) from error
    if not isinstance(found, dict):
        raise _refused("JSON that is no table", type(found).__name__)
    return found


def _walk(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        for name in value:
            if not _PATH.fullmatch(name) or name in ("as_custom_obj", "custom_obj"):
                raise _refused("a key that no network needs", name)
        return {name: _DROPPED[name] if name in _DROPPED else _walk(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, key) for item in value]
    if isinstance(value, str) and not _allowed(value, key):
        raise _refused(f"the {key or 'text'}", value)
    return value


def _allowed(text: str, key: str) -> bool:
    if key in ("target", "as_operator"):
        return bool(_OPERATOR.fullmatch(text)) or _tensor_operator(text)
    if key == "expr_str":
        return _size(text)
    if key in ("as_string", "as_strings", "torch_version"):
        return bool(_TEXT.fullmatch(text))
    if key in ("in_spec", "out_spec"):
        return True
    if key in ("parameter_name", "buffer_name", "tensor_constant_name", "path_name", "fqn"):
        return text == "" or bool(_PATH.fullmatch(text))
    return text == "" or (bool(_NAME.fullmatch(text)) and not keyword.iskeyword(text) and not text.startswith("__"))


def _tensor_operator(text: str) -> bool:
    named = _TENSOR_OPERATOR.fullmatch(text)
    if named is None or named[2] in _FORBIDDEN:
        return False
    packet = getattr(getattr(torch.ops, named[1]), named[2], None)
    return isinstance(getattr(packet, named[3], None), torch._ops.OpOverload)


def _size(text: str) -> bool:
    place = 0
    while place < len(text) <= 2000:
        token = _SIZE_TOKEN.match(text, place)
        if token is None:
            return False
        word = token[1]
        if word and word not in _SIZE_WORDS and not _SIZE_SYMBOL.fullmatch(word):
            return False
        place = token.end()
    return 0 < len(text) <= 2000


def _tree(spec: Any, *, top: bool = False) -> Any:
    if top:
        protocol, root = spec
        return [int(protocol), _tree(root)]
    if spec["type"] not in _TREES:
        raise _refused("the tree", str(spec["type"]))
    if spec["context"] is not None:
        context = json.loads(spec["context"])
        names = context if isinstance(context, list) else [] if context is None else [context]
        if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            raise _refused("the tree", spec["context"])
    return {
        "type": spec["type"],
        "context": spec["context"],
        "children_spec": [_tree(child) for child in spec["children_spec"]],
    }


def _refused(what: str, found: str) -> ModelError:
    shown = " ".join(found.split())
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ModelError(
        f"The .pt2 file holds {what} {shown!r}, which could run code or is no network's, so it was not opened: "
        "export the network again with torch.export.save, or name a factory and trust its code."
    )

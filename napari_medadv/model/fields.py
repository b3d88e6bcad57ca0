"""Fields: a table of a model card becomes a frozen dataclass, or one sentence says which key is wrong."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from napari_medadv.errors import CardError

T = TypeVar("T")


def build(kind: type[T], table: Mapping[str, object], where: str, ready: Mapping[str, object] | None = None) -> T:
    """The dataclass `kind` from a table whose keys are its fields; `ready` holds fields that need no reading.

    Raises
    ------
    CardError
        A key is unknown or missing, or a value is of the wrong type or impossible; `where` says in which table.
    """
    ready = dict(ready or {})
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass, which `type` does not tell
    readable = [name for name in known if name not in ready]
    for key in table:
        if key not in readable:
            raise CardError(f"{where} has the unknown key {key!r}: {one_of(key, readable)}.")
    hints = get_type_hints(kind)
    values = {}
    for name in readable:
        if name in table:
            values[name] = read(table[name], hints[name], f"{where} has {name} = {table[name]!r}")
        elif _required(known[name]):
            raise CardError(f"{where} lacks the key {name!r}: add it as {words(hints[name])}.")
    try:
        return kind(**values, **ready)
    except ValueError as error:
        raise CardError(f"{where} is impossible: {error}.") from error


def read(value: object, hint: Any, found: str) -> Any:
    """The value as the annotation `hint` wants it; whole numbers pass for numbers and lists become tuples.

    Raises
    ------
    CardError
        It is something else; the sentence begins with `found`.
    """
    try:
        return _fit(value, hint)
    except TypeError:
        if get_origin(hint) is Literal and isinstance(value, str):
            raise CardError(f"{found}: {one_of(value, get_args(hint))}.") from None
        raise CardError(f"{found}, but {words(hint)} is expected there.") from None


def one_of(found: str, known: Iterable[str]) -> str:
    """What could have been meant: the closest of the `known` names, and all of them."""
    known = list(known)
    listed = ", ".join(map(repr, known))
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(found.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean {lowered[close[0]]!r} (of {listed})" if close else f"it should be one of {listed}"


def words(hint: Any) -> str:
    """An annotation in a person's words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " or ".join(words(part) for part in inner if part is not type(None))
    if origin is tuple:
        content = _several(inner[0])
        return f"a list of {content}" if inner[-1] is Ellipsis else f"a list of {len(inner)} {content}"
    if origin is dict:
        return f"a table of {_several(inner[1])}"
    plain = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return plain.get(hint, "another value")


def _several(hint: Any) -> str:
    """What a list or a table holds."""
    known = {int: "whole numbers", float: "numbers", str: "texts"}
    return words(hint) if get_origin(hint) is Literal else known.get(hint, "values")


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _fit(value: Any, hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Literal:
        if value in inner:
            return value
        raise TypeError
    if origin in (Union, types.UnionType):
        for part in inner:
            try:
                return _fit(value, part)
            except TypeError:
                continue
        raise TypeError
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise TypeError
        parts = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(parts) != len(value):
            raise TypeError
        return tuple(_fit(item, part) for item, part in zip(value, parts, strict=True))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise TypeError
        return {_fit(key, inner[0]): _fit(item, inner[1]) for key, item in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise TypeError

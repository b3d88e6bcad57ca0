"""Settings: the fields of a dataclass, read from words or from JSON. An attack's command line, form and record are its fields."""

from __future__ import annotations

import dataclasses
import math
from inspect import formatannotation
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from napari_medadv.errors import SettingError

_WORDS = {"yes": True, "true": True, True: True, "no": False, "false": False, False: False}


def fields(kind: type[Any]) -> dict[str, tuple[Any, Any]]:
    """The settings of a dataclass: name to (annotation, default); the default is `dataclasses.MISSING` where there is none.

    Raises
    ------
    SettingError
        It is no dataclass, or an annotation names what is not there.
    """
    if not dataclasses.is_dataclass(kind):
        raise SettingError(
            f"{kind.__name__} is no dataclass, whose fields are its settings: write @dataclass(frozen=True) above it."
        )
    try:
        hints = get_type_hints(kind)
    except (AttributeError, NameError, TypeError) as fault:
        raise SettingError(f"The annotations of {kind.__name__} cannot be read ({fault}): correct them.") from fault
    found = {}
    for field in dataclasses.fields(kind):
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        if field.init:
            found[field.name] = (hints[field.name], default)
    return found


def make(kind: type[Any], given: dict[str, Any]) -> Any:
    """An instance of `kind` from settings as a person typed them or as JSON gave them.

    Raises
    ------
    SettingError
        A name that the class has not, a value of the wrong kind, or a field that could not be read from words again.
    """
    known = fields(kind)
    for name, (annotation, _) in known.items():
        if not _readable(annotation):
            raise SettingError(
                f"{kind.__name__} has the setting {name} of the type {formatannotation(annotation)}, which cannot be read "
                "from a record: make it an int, float, bool, str or Literal, a tuple of one of these, or None."
            )
    ready = {}
    for name, value in given.items():
        if name not in known:
            have = f"its settings are {', '.join(known)}" if known else "it has none"
            raise SettingError(f"{kind.__name__} has no setting {name!r}; {have}.")
        try:
            ready[name] = _read(value, known[name][0])
        except (TypeError, ValueError):
            raise SettingError(
                f"{kind.__name__} takes {name} as {describe(known[name][0])}, not {value!r}; correct that value."
            ) from None
    missing = [name for name, (_, default) in known.items() if default is dataclasses.MISSING and name not in ready]
    if missing:
        raise SettingError(f"{kind.__name__} needs the setting {missing[0]!r}: give it a value.")
    try:
        return kind(**ready)
    except (TypeError, ValueError) as fault:
        raise SettingError(f"{kind.__name__} does not take these settings ({fault}): correct them.") from fault


def plain(instance: Any) -> dict[str, Any]:
    """The settings of an instance as JSON can hold them; an infinity becomes the word "inf"."""
    return {name: _plain(getattr(instance, name)) for name in fields(type(instance))}


def describe(annotation: Any) -> str:
    """A type in a person's words."""
    if get_origin(annotation) is Literal:
        return " or ".join(repr(choice) for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(describe(part) for part in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"several of {describe(get_args(annotation)[0])}, with commas between"
    words = {int: "a whole number", float: "a number", bool: "yes or no", str: "a word", NoneType: "none"}
    return words.get(annotation, str(annotation))


def _readable(annotation: Any) -> bool:
    """Whether `_read` gives such a value back from words or JSON."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        kinds = {part for part in parts if part is not Ellipsis}
        return len(kinds) == 1 and _readable(parts[0])
    if origin in (Union, UnionType):
        return all(map(_readable, parts))
    return origin is Literal or annotation in (int, float, bool, str, NoneType)


def _read(value: Any, annotation: Any) -> Any:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        for choice in parts:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError(value)
    if origin in (Union, UnionType):
        if NoneType in parts and (value is None or value == "none"):
            return None
        for part in parts:
            try:
                return _read(value, part)
            except (TypeError, ValueError):
                continue
        raise ValueError(value)
    if origin is tuple:
        items = value.split(",") if isinstance(value, str) else value
        return tuple(_read(item, parts[0]) for item in items)
    return _scalar(value, annotation)


def _scalar(value: Any, annotation: Any) -> Any:
    if annotation is bool:
        if value not in _WORDS:
            raise ValueError(value)
        return _WORDS[value]
    if annotation is int:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise ValueError(value)
        return int(value)
    if annotation is float:
        if isinstance(value, bool) or math.isnan(float(value)):
            raise ValueError(value)
        return float(value)
    if annotation is str and isinstance(value, str):
        return value
    raise TypeError(annotation)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return list(value) if isinstance(value, tuple) else value

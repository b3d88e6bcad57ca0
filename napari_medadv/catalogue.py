"""A name is a module path: a folder is the list of what can be done, and one new file adds a thing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

from napari_medadv.errors import CatalogueError


def names(home: str) -> tuple[str, ...]:
    """The modules of the package `home`, sorted, without its seam.

    Parameters
    ----------
    home
        Dotted name of a package whose `SEAM` names the modules that define the seam and are no entries.
    """
    package = importlib.import_module(home)
    seam: tuple[str, ...] = package.SEAM
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name for name in found if name not in seam and not name.startswith("_")))


def entry(name: str, home: str) -> type[Any]:
    """The one public class of the module `name` of the package `home`, or of a private `module:Class`.

    Raises
    ------
    CatalogueError
        No such module, none that can be imported, or no such class in it.
    """
    path, colon, wanted = name.partition(":")
    if colon:
        return _private(path, wanted)
    if path not in names(home):
        raise CatalogueError(
            f"{name!r} is none of {', '.join(names(home))}; name one of these, or your own class as `module:Class`."
        )
    module = _imported(f"{home}.{path}")
    public = _public(module)
    if len(public) != 1:
        raise CatalogueError(
            f"The module {module.__name__!r} should hold one public class, and {len(public)} were found "
            f"({', '.join(public) or 'none'}): let the names of all others begin with an underscore."
        )
    return next(iter(public.values()))


def _private(path: str, wanted: str) -> type[Any]:
    """The class `wanted` of a person's own module, which may fail in any way."""
    if path.endswith(".py") or not all(part.isidentifier() for part in path.split(".")):
        raise CatalogueError(
            f"{path!r} is not the name of a module: name it as Python imports it, such as my_package.mine:Mine, "
            "and let the folder of my_package be on PYTHONPATH."
        )
    try:
        module = _imported(path)
    except CatalogueError:
        raise
    except (Exception, SystemExit) as fault:
        said = " ".join(f"{type(fault).__name__}: {fault}".split())
        raise CatalogueError(f"The module {path!r} fails while it is imported ({said}): correct it.") from fault
    kind = vars(module).get(wanted)
    if not inspect.isclass(kind):
        own = ", ".join(_public(module)) or "none"
        raise CatalogueError(
            f"The module {path!r} has no class {wanted!r}, its classes are {own}: name one that it has."
        )
    return kind


def _imported(path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except ImportError as error:
        raise CatalogueError(
            f"The module {path!r} cannot be imported ({error}); is it installed, or on PYTHONPATH?"
        ) from error


def _public(module: ModuleType) -> dict[str, type[Any]]:
    """The classes that a module makes itself, without an underscore before their names."""
    found = (kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__)
    return {kind.__name__: kind for kind in found if not kind.__name__.startswith("_")}


def name_of(kind: type[Any]) -> str:
    """The name under which `entry` finds this class again."""
    home, _, module = kind.__module__.rpartition(".")
    try:
        if module in names(home):
            return module
    except (AttributeError, ImportError, ValueError):
        pass
    return f"{kind.__module__}:{kind.__name__}"

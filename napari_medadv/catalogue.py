"""A name is a module path: a folder is the list of what can be done, and one new file adds a thing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
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
        No such module, or no such class in it.
    """
    path, colon, wanted = name.partition(":")
    if not colon:
        if path not in names(home):
            raise CatalogueError(
                f"{name!r} is none of {', '.join(names(home))}; name one of these, or your own class as `module:Class`."
            )
        path = f"{home}.{path}"
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise CatalogueError(
            f"The module {path!r} cannot be imported ({error}); is it installed, or on PYTHONPATH?"
        ) from error
    public = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    public = [kind for kind in public if not kind.__name__.startswith("_")]
    if colon:
        public = [kind for kind in public if kind.__name__ == wanted]
    if len(public) != 1:
        raise CatalogueError(
            f"The module {path!r} should hold one public class{colon and ' ' + wanted}, and {len(public)} were found."
        )
    return public[0]


def name_of(kind: type[Any]) -> str:
    """The name under which `entry` finds this class again."""
    home, _, module = kind.__module__.rpartition(".")
    try:
        if module in names(home):
            return module
    except (AttributeError, ImportError, ValueError):
        pass
    return f"{kind.__module__}:{kind.__name__}"

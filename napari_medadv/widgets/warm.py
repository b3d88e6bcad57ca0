"""Warm: what napari makes ready for the first layer, made beside the window while a folder is read."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

_LATE = (
    "scipy.ndimage",
    "scipy.spatial",
    "napari.components.histogram",
    "OpenGL.arrays.ctypesarrays",
    "OpenGL.arrays.ctypespointers",
    "OpenGL.arrays.nones",
    "OpenGL.arrays.strings",
    "numpy.ctypeslib",
)
"""Modules that napari and OpenGL import with the first image, some 240 with those that they import."""


def warm() -> None:
    """Read the definitions of units and import what the first image needs; the window would stand still for it, a second or two."""
    with suppress(ImportError, AttributeError):
        import pint

        pint.get_application_registry().Unit("mm")  # type: ignore[no-untyped-call]
    for name in _LATE:
        with suppress(ImportError):
            import_module(name)

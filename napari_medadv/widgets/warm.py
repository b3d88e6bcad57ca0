"""Warm: what napari makes ready for the first layer with units, made beside the window while a folder is read."""

from __future__ import annotations


def warm_units() -> None:
    """Read the definitions of units once; it takes about a second, for which the window would stand still."""
    try:
        import pint

        pint.get_application_registry().Unit("mm")  # type: ignore[no-untyped-call]
    except (ImportError, AttributeError):
        return

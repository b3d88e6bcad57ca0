"""Whether a window can be opened here."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys

from napari_medadv.errors import MissingExtra, OutputError


def has_screen() -> bool:
    """Whether there is a display that answers; macOS and Windows always have one."""
    if sys.platform != "linux" or os.environ.get("WAYLAND_DISPLAY"):
        return True
    return bool(os.environ.get("DISPLAY")) and _answers()


def require_screen() -> None:
    """Refuse to open a window where there is none, before Qt ends the program.

    Raises
    ------
    OutputError
        No display.
    """
    if not has_screen():
        name = os.environ.get("DISPLAY")
        reason = f"DISPLAY is {name}, where nobody answers" if name else "DISPLAY is not set"
        raise OutputError(
            f"There is no display to open napari on ({reason}): use `xvfb-run -a medadv ...`, or `medadv attack` without a window."
        )


def require_viewer() -> None:
    """Refuse where napari, or what draws its windows, cannot be loaded.

    Raises
    ------
    MissingExtra
        A package is not installed.
    OutputError
        The system lacks a library that Qt needs.
    """
    for package, name in (("napari", "napari"), ("qtpy.QtGui", "PyQt6")):
        try:
            importlib.import_module(package)
        except ImportError as error:
            if ".so" in str(error):
                raise OutputError(
                    f"Qt cannot be loaded ({error}): install this library with the system's package manager."
                ) from error
            raise MissingExtra(name, "app", "The viewer") from error


def _answers() -> bool:
    """Whether the X server that DISPLAY names lets us in, asked as Qt will ask it; Qt ends the program where it does not."""
    if os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return True
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed

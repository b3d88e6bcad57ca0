"""Whether a window can be opened here."""

from __future__ import annotations

import os
import sys

from napari_medadv.errors import OutputError


def has_screen() -> bool:
    """Whether there is a display; macOS and Windows always have one."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def require_screen() -> None:
    """Refuse to open a window where there is none, before Qt ends the program.

    Raises
    ------
    OutputError
        No display.
    """
    if not has_screen():
        raise OutputError(
            "There is no display to open napari on (DISPLAY is not set): use `xvfb-run -a medadv ...`, or `medadv attack` without a window."
        )

"""Presets: the windows that a person can press, by name."""

from __future__ import annotations

from napari_medadv.dicom.window import presets as windows
from napari_medadv.volume import Volume, Window

MOST = 9
"""One for each number key."""


def presets(volume: Volume) -> dict[str, Window]:
    """The windows of a volume by name, in its unit, at most nine; the first is the default. Empty for colour."""
    if volume.colour:
        return {}
    found = list(windows(volume).items())
    return {name[:1].upper() + name[1:]: window for name, window in found[:MOST]}

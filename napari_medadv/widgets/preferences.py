"""Preferences: what a person sets for good, on the plug-in's page of napari's preferences."""

from __future__ import annotations

import os
from typing import Any

from napari.settings import get_plugin_settings

from napari_medadv.room import SHARE, Room, standard


def preferred_room() -> Room:
    """How much memory a volume may take: as the environment says, else as the preferences do."""
    if SHARE in os.environ:
        return standard()
    try:
        settings: Any = get_plugin_settings("napari-medadv")
    except (KeyError, ValueError):
        return Room()
    return Room(float(settings.memory.share))

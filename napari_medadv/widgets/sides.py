"""Sides: the letters at the edges of the canvas that say which side of the patient is there."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from napari_medadv.display import edges, turned
from napari_medadv.display.orientation import depth_away
from napari_medadv.volume import Volume

_PLACES = ("top_center", "bottom_center", "middle_left", "middle_right")


class Sides:
    """R, L, A, P, S and I around the picture; they follow the axes that are shown."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._volume: Volume | None = None
        self._seen: Sequence[Volume] = ()
        viewer.dims.events.order.connect(self._hold)
        viewer.dims.events.ndisplay.connect(self._hold)
        viewer.scene.camera.events.orientation.connect(self.draw)

    def turn(self, volume: Volume | None) -> None:
        """Hold this volume as radiologists read it."""
        self._volume = volume
        self._hold()

    def see(self, volumes: Sequence[Volume]) -> None:
        """Show the sides of these volumes: those on the screen; no letter stands where it is not true of all."""
        self._seen = volumes
        self.draw()

    def _hold(self, event: Any = None) -> None:
        """Hold the plane that is shown as radiologists read it, and turn the depth axis so that 3D is no mirror image.

        A volume without a place in the patient is held as stored, however the one before it was held.
        """
        viewer, volume = self._viewer(), self._volume
        if viewer is not None and volume is not None:
            shown = tuple(viewer.dims.displayed)
            flat = viewer.dims.ndisplay == 2 and viewer.dims.ndim == 3
            up, left = turned(volume, shown[0], shown[1]) if flat and volume.placed else (False, False)
            away = volume.placed and depth_away(volume) ^ up ^ left
            viewer.scene.camera.orientation = (
                "away" if away else "towards",
                "up" if up else "down",
                "left" if left else "right",
            )
        self.draw()

    def draw(self, event: Any = None) -> None:
        """Bring the letters up to date."""
        viewer = self._viewer()
        if viewer is None:
            return
        from napari.components.overlays import TextOverlay
        from napari.utils.color import ColorValue

        for place, letter in zip(_PLACES, self._letters(viewer), strict=True):
            name = f"medadv_{place}"
            if name not in viewer.canvas.overlays:
                if not letter:
                    continue
                viewer.canvas.overlays[name] = TextOverlay(position=place, font_size=13, color=ColorValue("#f0a53c"))
            viewer.canvas.overlays[name].text = letter
            viewer.canvas.overlays[name].visible = bool(letter)

    def _letters(self, viewer: Any) -> tuple[str, str, str, str]:
        shown = tuple(viewer.dims.displayed)
        if not self._seen or viewer.dims.ndisplay != 2 or viewer.dims.ndim != 3:
            return "", "", "", ""
        told = zip(*(edges(volume, shown[0], shown[1]) for volume in self._seen), strict=True)
        top, bottom, left, right = (each[0] if len(set(each)) == 1 else "" for each in told)
        _, vertical, horizontal = viewer.scene.camera.orientation
        if vertical == "up":
            top, bottom = bottom, top
        if horizontal == "left":
            left, right = right, left
        return top, bottom, left, right

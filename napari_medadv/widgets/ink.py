"""Ink: the colours of the viewer's theme for what is painted by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours as #rrggbb.

    Attributes
    ----------
    text, faint, ground, groove
        Words, quiet words and ticks, the dock's background, and the empty part of a bar.
    plain, good, bad
        A value that nobody judged, one that agrees with the truth, and one that does not.
    clean, adversarial
        Curves of the series before and after an attack.
    """

    text: str
    faint: str
    ground: str
    groove: str
    plain: str
    good: str
    bad: str
    clean: str
    adversarial: str


def ink_of(viewer: Any) -> Ink:
    """The ink that can be read on the viewer's theme."""
    from napari.utils.theme import get_theme

    theme = get_theme(viewer.theme if viewer is not None else "dark")
    text, ground, groove, faint = (
        colour.as_hex("long") for colour in (theme.text, theme.background, theme.foreground, theme.icon)
    )
    dark = sum(int(ground[i : i + 2], 16) for i in (1, 3, 5)) < 384
    if dark:
        return Ink(text, faint, ground, groove, "#5b8def", "#35a86b", "#e0524d", "#7fb2ff", "#ff9d4d")
    return Ink(text, "#5a5d66", ground, groove, "#3c6fd1", "#1e8a50", "#c93a35", "#2458c5", "#c75a00")

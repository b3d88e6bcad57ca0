"""Window presets: the display windows that radiologists call by name, in HU."""

from __future__ import annotations

from napari_medadv.volume import Volume, Window

CT_WINDOWS: dict[str, Window] = {
    "lung": Window(-600, 1500, explanation="lung"),
    "mediastinum": Window(40, 400, explanation="mediastinum"),
    "bone": Window(500, 2000, explanation="bone"),
    "brain": Window(40, 80, explanation="brain"),
    "subdural": Window(75, 215, explanation="subdural"),
    "stroke": Window(35, 40, explanation="stroke"),
    "abdomen": Window(50, 400, explanation="abdomen"),
    "liver": Window(80, 150, explanation="liver"),
    "angiography": Window(300, 600, explanation="angiography"),
}
"""CT windows by name."""


def presets(volume: Volume) -> dict[str, Window]:
    """The windows to offer for a volume by name: the file's own, then those of its unit, then the full range."""
    found: dict[str, Window] = {}
    for index, window in enumerate(volume.windows):
        name = window.explanation or ("file" if len(volume.windows) == 1 else f"file {index + 1}")
        found[name.lower() if name.lower() not in found else f"{name.lower()} {index + 1}"] = window
    if volume.scale.unit == "HU":
        for name, window in CT_WINDOWS.items():
            found.setdefault(name, window)
    low, high = volume.scale.limits
    full = Window(float(low.min() + high.max()) / 2, float(high.max() - low.min()), "LINEAR_EXACT", "full range")
    found.setdefault("full range", full)
    return found

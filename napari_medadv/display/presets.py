"""Window presets: the file's own windows first, then the usual ones of CT."""

from __future__ import annotations

from napari_medadv.volume import Volume, Window

CT: dict[str, Window] = {
    "Lung": Window(-600, 1500),
    "Mediastinum": Window(40, 400),
    "Bone": Window(400, 1800),
    "Abdomen": Window(60, 400),
    "Liver": Window(90, 150),
    "Brain": Window(40, 80),
}


def presets(volume: Volume) -> dict[str, Window]:
    """Windows by name, in the unit of the volume; the first is the default. Empty for colour."""
    if volume.colour:
        return {}
    found: dict[str, Window] = {}
    for number, window in enumerate(volume.windows or (volume.window,), start=1):
        name = window.explanation.strip().capitalize() or ("File" if number == 1 else f"File {number}")
        found.setdefault(name, window)
    if volume.scale.unit == "HU":
        for name, window in CT.items():
            found.setdefault(name, window)
    return found

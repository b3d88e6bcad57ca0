"""Reader: a DICOM file, folder or zip file as napari layers, each with its noun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded, volume_layer
from napari_medadv.display.layers import LayerData
from napari_medadv.errors import SeriesError
from napari_medadv.widgets.preferences import preferred_room

_ENDINGS = (".dcm", ".ima", ".zip")
_MOST = 4

Paths = str | list[str]


def napari_get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The reader, if DICOM files can be expected there."""
    first = Path(path if isinstance(path, str) else path[0])
    if first.is_dir() or first.name == "DICOMDIR" or first.suffix.lower() in _ENDINGS or _is_dicom(first):
        return read
    return None


def read(path: Paths) -> list[LayerData]:
    """Every series of the path as an image layer.

    Raises
    ------
    SeriesError
        There is no DICOM series, more than a viewer can hold, or one that is no honest volume.
    """
    found: list[Any] = []
    for one in [path] if isinstance(path, str) else path:
        here = scan(Path(one))
        if {series.uid for series in here} & {series.uid for series in found}:
            raise SeriesError(
                "Several files of one series were named, and a series is read as a whole: open its folder (or drop it on the dock Series)."
            )
        found.extend(here)
    if len(found) > _MOST:
        raise SeriesError(
            f"{len(found)} series were found: choose among them in the dock Series (Plugins, Medical adversarial robustness)."
        )
    room = preferred_room()
    return [volume_layer(Loaded(decode(series, room=room), series)) for series in found]


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False

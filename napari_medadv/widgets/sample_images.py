"""Sample data of napari's menu: the chest CT phantom, and the real radiograph of pydicom-data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import Series, scan
from napari_medadv.display import Loaded, volume_layer
from napari_medadv.display.layers import LayerData
from napari_medadv.samples import chest_phantom, chest_radiograph


def phantom_ct() -> list[LayerData]:
    """A drawn chest CT with nodules, written as DICOM into a folder of this session and read back."""
    return _layers(chest_phantom(Path(tempfile.mkdtemp(prefix="medadv-")) / "phantom"))


def radiograph() -> list[LayerData]:
    """RG1_UNCR.dcm: a chest radiograph with several round opacities.

    Raises
    ------
    MissingExtra
        pydicom-data is not installed.
    """
    return _layers(chest_radiograph())


def _layers(path: Path) -> list[LayerData]:
    series: Series
    (series,) = scan(path)
    return [volume_layer(Loaded(decode(series), series))]

"""Sample data of napari's menu: the real radiograph of pydicom-data."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded, volume_layer
from napari_medadv.display.layers import LayerData
from napari_medadv.samples import radiograph_file


def radiograph() -> list[LayerData]:
    """RG1_UNCR.dcm: a chest radiograph with several round opacities.

    Raises
    ------
    MissingExtra
        pydicom-data is not installed.
    """
    return _layers(radiograph_file())


def _layers(path: Path) -> list[LayerData]:
    (series,) = scan(path)
    return [volume_layer(Loaded(decode(series), series))]

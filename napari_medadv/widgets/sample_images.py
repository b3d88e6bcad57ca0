"""Sample data of napari's menu: the embedded samples as layers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.display import Loaded, volume_layer
from napari_medadv.display.layers import LayerData
from napari_medadv.samples import SAMPLES


def radiograph() -> list[LayerData]:
    """RG1_UNCR.dcm of pydicom-data: a real chest radiograph with several round opacities.

    Raises
    ------
    MissingExtra
        pydicom-data is not installed.
    """
    return _layers("radiograph")


def ct_phantom() -> list[LayerData]:
    """A drawn chest CT with nodules, written as DICOM into a temporary folder and read back."""
    return _layers("ct_phantom")


def sample_path(name: str) -> Path:
    """Where the series of a sample lies; one that has to be generated goes into a new temporary folder."""
    (sample,) = (sample for sample in SAMPLES if sample.name == name)
    return sample.series(Path(tempfile.mkdtemp(prefix="medadv-")) / name)


def _layers(name: str) -> list[LayerData]:
    (series,) = scan(sample_path(name))
    return [volume_layer(Loaded(decode(series), series))]

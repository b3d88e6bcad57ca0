"""DICOM: series in, volumes out, and back."""

from napari_medadv.dicom import alone  # noqa: F401  before anything imports pydicom
from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.encode import encode
from napari_medadv.dicom.instance import Instance, Slice
from napari_medadv.dicom.save import save
from napari_medadv.dicom.series import Rejected, Scan, Series, scan

__all__ = ["Derivation", "Instance", "Rejected", "Scan", "Series", "Slice", "decode", "encode", "save", "scan"]

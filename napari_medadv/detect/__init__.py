"""Detectors, one a module; `names("napari_medadv.detect")` lists them."""

from napari_medadv.detect.calibrate import calibrate
from napari_medadv.detect.detector import Detector
from napari_medadv.detect.examine import Evidence, Examination, examine
from napari_medadv.detect.reference import Reference, read_reference, write_reference
from napari_medadv.detect.region import suspicious_region
from napari_medadv.detect.suspect import Suspect

SEAM = (
    "benign",
    "calibrate",
    "conformal",
    "detail",
    "detector",
    "examine",
    "features",
    "reference",
    "region",
    "suspect",
)

__all__ = [
    "Detector",
    "Evidence",
    "Examination",
    "Reference",
    "Suspect",
    "calibrate",
    "examine",
    "read_reference",
    "suspicious_region",
    "write_reference",
]

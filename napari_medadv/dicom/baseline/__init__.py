"""Baseline: a small signed ledger of what files held, so that later one can tell what changed, and where."""

from napari_medadv.dicom.baseline.compare import Change, Comparison, compare
from napari_medadv.dicom.baseline.entry import Entry
from napari_medadv.dicom.baseline.head import load_key, load_public
from napari_medadv.dicom.baseline.ledger import Ledger, read_ledger
from napari_medadv.dicom.baseline.record import Recorded, record

__all__ = [
    "Change",
    "Comparison",
    "Entry",
    "Ledger",
    "Recorded",
    "compare",
    "load_key",
    "load_public",
    "read_ledger",
    "record",
]

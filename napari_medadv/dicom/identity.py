"""Identity: whose image a derived one is said to be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medadv.dicom.derivation import derived_uid
from napari_medadv.dicom.profile import EMPTIED, REMOVED, REPLACED

PATIENT = "ADV-"
"""What a marked Patient ID begins with."""
NAME = "ADV^"
"""What a marked Patient's Name begins with."""
WELL_KNOWN = "1.2.840.10008."
"""What the UIDs of the standard itself begin with; they link to nobody."""
METHOD = "napari-medadv: PS3.15 basic profile without pixel inspection"
_NOTHING = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "LO": "REMOVED", "SH": "REMOVED", "PN": "REMOVED"}
_OURS = ("SeriesDescription", "DerivationDescription", "ContributionDescription")


def marked_patient(dataset: Dataset) -> None:
    """Mark the patient as none, and move the image into a study of its own; the frame of reference stays."""
    dataset.PatientID = (PATIENT + str(dataset.get("PatientID", "") or ""))[:64]
    dataset.PatientName = NAME + str(dataset.get("PatientName", "") or "").replace("^", " ").strip()[:58]
    dataset.QualityControlSubject = "YES"
    dataset.StudyInstanceUID = derived_uid(str(dataset.get("StudyInstanceUID", "")), "study of adversarial test images")


def deidentified(dataset: Dataset) -> None:
    """Follow the basic profile of PS3.15 annex E; text in the pixels and the shape of a face are not looked for.

    Attributes with names, identifiers, dates, places and texts, private attributes, curves and overlays go or lose their
    value; UIDs are replaced, each always by the same one; the patient gets a pseudonym for each study.
    """
    # an identifier of a few digits alone would be found again by trying them all
    who = f"{dataset.get('PatientID', '')}\0{dataset.get('StudyInstanceUID', '')}"
    patient = hashlib.sha256(who.encode()).hexdigest()[:12]
    dataset.preamble = b"\0" * 128
    dataset.remove_private_tags()
    for each in _all(dataset):
        for element in list(each):
            keyword, vr = element.keyword, element.VR
            if (
                keyword in REMOVED
                or vr == "UR"
                or (each is not dataset and keyword in _OURS)
                or element.tag.group >> 8 in (0x50, 0x60)
                or vr == "UN"
            ):
                del each[element.tag]
            elif vr == "UI":
                _replace(each, element.tag)
            elif keyword in REPLACED or vr in ("DA", "TM", "DT", "PN"):
                if element.value and vr in _NOTHING:
                    element.value = "" if vr == "PN" and keyword in EMPTIED else _NOTHING[vr]
                elif vr not in _NOTHING:
                    del each[element.tag]
            elif keyword in EMPTIED:
                element.value = Items() if vr == "SQ" else None
    if "DeviceSerialNumber" in dataset:
        dataset.DeviceSerialNumber = "REMOVED"
    dataset.PatientID = PATIENT + patient
    dataset.PatientName = NAME + patient
    dataset.SeriesDescription = str(dataset.get("SeriesDescription", "")).split("]")[0] + "]"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    dataset.DeidentificationMethodCodeSequence = Items([code])
    dataset.LongitudinalTemporalInformationModified = "REMOVED"


def _replace(dataset: Dataset, tag: int) -> None:
    """Replace UIDs that could link to the source; those of the standard stay."""
    value = dataset[tag].value
    if not value:
        return
    values = [value] if isinstance(value, str) else list(value)
    changed = [uid if str(uid).startswith(WELL_KNOWN) else derived_uid(str(uid), "no identity") for uid in values]
    dataset[tag].value = changed[0] if len(changed) == 1 else changed


def _all(dataset: Dataset) -> Iterator[Dataset]:
    """A data set and every item of every sequence in it."""
    yield dataset
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                yield from _all(item)

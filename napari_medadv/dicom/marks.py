"""Marks: every attribute by which a derived image says what it is (PS3.3 C.7.6.1, C.12.1; PS3.16 CID 7005, 7202, 7203)."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.instance import Instance
from napari_medadv.dicom.meaning import ADVERSARIAL
from napari_medadv.dicom.words import hold

_SIGNED = (0x4FFE0001, 0xFFFAFFFA, 0x04000500)
ENHANCED = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{last}"
    for last in "2.1 2.2 4.1 4.3 4.4 6.2 12.1.1 12.2.1 13.1.1 13.1.2 13.1.3 13.1.4 13.1.5 128.1 130 77.1.5.4".split()
)
"""Enhanced and legacy converted images, whose Image Type has four values."""
SEGMENTATIONS = frozenset(("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"))
"""Segmentations, whose Image Type has these two values and no other (PS3.3 C.8.20.2)."""
_ACQUIRED_ONLY = (
    "PulseSequenceName MRAcquisitionType EchoPulseSequence MultipleSpinEcho MultiPlanarExcitation PhaseContrast "
    "VelocityEncodingAcquisitionSequence TimeOfFlightContrast ArterialSpinLabelingContrast SteadyStatePulseSequence "
    "EchoPlanarPulseSequence SaturationRecovery SpectrallySelectedSuppression OversamplingPhase GeometryOfKSpaceTraversal "
    "RectilinearPhaseEncodeReordering SegmentedKSpaceTraversal CoverageOfKSpace NumberOfKSpaceTrajectories "
    "BulkMotionCompensationTechnique"
).split()
"""Attributes of the MR Pulse Sequence module that a derived enhanced image must not have."""
_CONCATENATION = (0x00200242, 0x00209161, 0x00209162, 0x00209163, 0x00209228)
"""What makes a file a part of a concatenation: the derived one is no part of the source's, and whole in itself."""
_STALE = (0x00880200, 0xFFFCFFFC, 0x7FE00001, 0x7FE00002, 0x7FE00003, *_CONCATENATION)


def mark(dataset: Dataset, derivation: Derivation, instance: Instance) -> None:
    """Mark a data set as derived and synthetic, and remove what is no longer true of it."""
    _unsay(dataset)
    hold(dataset, derivation.text, derivation.label)
    _image_type(dataset, derivation)
    dataset.SyntheticData = "YES"
    dataset.QualityControlImage = "YES"
    dataset.DerivationDescription = derivation.text
    dataset.DerivationCodeSequence = Items([code("113042", "Pixel by pixel addition")])
    dataset.SourceImageSequence = Items([_source(dataset, instance)])
    equipment = [] if "ContributingEquipmentSequence" not in dataset else list(dataset.ContributingEquipmentSequence)
    dataset.ContributingEquipmentSequence = Items([*equipment, _equipment(derivation)])
    description = str(dataset.get("SeriesDescription", "") or "")
    parts = (derivation.mark, derivation.label, description)
    dataset.SeriesDescription = " ".join(part for part in parts if part)[:64].rstrip()
    if (number := instance.header.number(a.SERIES_NUMBER)) is not None:
        dataset.SeriesNumber = min(int(number) + 9000, 2**31 - 1)
    if instance.header.syntax in a.LOSSY_SYNTAXES - {a.JPEG2000, a.HTJ2K}:
        dataset.LossyImageCompression = "01"
    if derivation.moment is not None:
        date, time = derivation.moment.strftime("%Y%m%d"), derivation.moment.strftime("%H%M%S")
        for what in ("InstanceCreation", "Series", "Content"):
            setattr(dataset, f"{what}Date", date)
            setattr(dataset, f"{what}Time", time)


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    """One item of a code sequence."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def _unsay(dataset: Dataset) -> None:
    """Remove signatures, thumbnails, offset tables, concatenations, and overlays that lay in the unused bits of the source's pixels."""
    for tag in (*_SIGNED, *_STALE):
        if tag in dataset:
            del dataset[tag]
    for group in range(0x6000, 0x6100, 2):
        if (group, 0x0010) in dataset and (group, 0x3000) not in dataset:
            for tag in [each for each in dataset.keys() if each.group == group]:
                del dataset[tag]


def _image_type(dataset: Dataset, derivation: Derivation) -> None:
    """DERIVED first, never ORIGINAL; enhanced images and segmentations allow no further value (PS3.3 C.8.16.1)."""
    found = dataset.get("ImageType") or []
    values = [found] if isinstance(found, str) else [str(value) for value in found]
    if str(dataset.get("SOPClassUID", "")) in ENHANCED:
        dataset.ImageType = ["DERIVED", *(values[1:] or ["PRIMARY", "VOLUME", "NONE"])]
        for keyword in _ACQUIRED_ONLY:
            if keyword in dataset:
                del dataset[keyword]
        return
    if str(dataset.get("SOPClassUID", "")) in SEGMENTATIONS:
        dataset.ImageType = ["DERIVED", "PRIMARY"]
        return
    modality = str(dataset.get("Modality", ""))
    rest = values[2:] or [{"CT": "AXIAL", "MR": "OTHER"}.get(modality, "")]
    if modality == "CT" and rest[0] not in ("AXIAL", "LOCALIZER"):
        rest = ["AXIAL", *rest[1:]]
    added = [ADVERSARIAL] if derivation.adversarial and ADVERSARIAL not in rest else []
    second = values[1] if modality in ("PT", "NM") and len(values) > 1 else "SECONDARY"  # theirs is a defined term
    dataset.ImageType = ["DERIVED", second, *rest, *added]


def _source(dataset: Dataset, instance: Instance) -> Dataset:
    """The reference to the source image; called before the data set gets its own UID."""
    item = Dataset()
    item.ReferencedSOPClassUID = dataset.SOPClassUID
    item.ReferencedSOPInstanceUID = instance.sop_uid
    item.SpatialLocationsPreserved = "YES"
    item.PurposeOfReferenceCodeSequence = Items([code("121322", "Source image for image processing operation")])
    return item


def _equipment(derivation: Derivation) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Items([code("109100", "Synthesizing Equipment")])
    item.Manufacturer = derivation.manufacturer
    item.ManufacturerModelName = derivation.model
    if derivation.version:
        item.SoftwareVersions = derivation.version
    if derivation.moment is not None:
        item.ContributionDateTime = derivation.moment.strftime("%Y%m%d%H%M%S")
    item.ContributionDescription = "Pixels changed to test a classifier: not for diagnosis"
    return item

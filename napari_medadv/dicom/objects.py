"""Objects for other viewers: a difference as Parametric Map, a region as Segmentation, verdicts as Structured Report, a picture.

They refer to the source images, so that any radiology viewer lays them over these; made with highdicom (an optional package).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from napari_medadv.dicom.derivation import Derivation, derived_uid
from napari_medadv.dicom.object_source import images, source
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.series import Series
from napari_medadv.dicom.words import UNICODE
from napari_medadv.errors import MissingExtra, OutputError
from napari_medadv.volume import Bools

UNITS = {
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "GY": Code("Gy", "UCUM", "Gray"),
    "BQML": Code("Bq/ml", "UCUM", "Becquerels/milliliter"),
    "GML": Code("g/ml", "UCUM", "gram per milliliter"),
    "CNTS": Code("{counts}", "UCUM", "Counts"),
    "CPS": Code("{counts}/s", "UCUM", "Counts per second"),
    "PCNT": Code("%", "UCUM", "Percent"),
}
NO_UNIT = Code("1", "UCUM", "no units")
PROBABILITY = Code("{probability}", "UCUM", "probability")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a classifier says of one finding, before and after: probabilities from 0 to 1."""

    label: str
    before: float
    after: float


def parametric_map(
    difference: npt.NDArray[np.float32], unit: str, series: Series, derivation: Derivation, *, bound: float
) -> Dataset:
    """Make a Parametric Map of a difference.

    Parameters
    ----------
    difference
        float32, (z, y, x) or (z, y, x, channel), in `unit`, in the order of the volume.
    bound
        The window runs from -bound to bound, in `unit`.

    Raises
    ------
    OutputError
        The difference does not fit the series.
    MissingExtra
        highdicom is not installed.
    """
    hd = _highdicom("a difference as Parametric Map")
    found = source(hd, series, difference.shape)
    channels = ("",) if difference.ndim == 3 else ("RED ", "GREEN ", "BLUE ")
    mappings = [_mapping(hd, f"{name}DIFFERENCE", unit, difference) for name in channels]
    with quiet():
        made = hd.pm.ParametricMap(
            source_images=found.framed(),
            pixel_array=np.ascontiguousarray(difference, np.float32),
            real_world_value_mappings=mappings if difference.ndim == 3 else [[each] for each in mappings],
            window_center=0.0,
            window_width=2 * bound,
            contains_recognizable_visual_features=False,
            content_label="DIFFERENCE",
            content_description=f"Adversarial minus clean, {unit}"[:64],
            derived_pixel_contrast="NONE",
            **found.placing,
            **_identifiers(series, derivation, "difference", 9101, difference.tobytes()),
        )
    return _marked(made, derivation, "difference")


def segmentation(region: Bools, label: str, series: Series, derivation: Derivation) -> Dataset:
    """Make a binary Segmentation of a region, such as where an attack was allowed or what a detector points at.

    Parameters
    ----------
    region
        bool, (z, y, x), in the order of the volume; not empty.

    Raises
    ------
    OutputError
        The region is empty or does not fit the series.
    MissingExtra
        highdicom is not installed.
    """
    hd = _highdicom("a region as Segmentation")
    found = source(hd, series, region.shape)
    if not region.any():
        raise OutputError(f"The region {label} is empty: a segmentation needs a voxel at least.")
    with quiet():
        algorithm = hd.AlgorithmIdentificationSequence(
            name=derivation.model,
            version=derivation.version or "0",
            family=Code("123110", "DCM", "Artificial Intelligence"),
        )
        segment = hd.seg.SegmentDescription(
            segment_number=1,
            segment_label=label[:64],
            segmented_property_category=Code("309825002", "SCT", "Spatial and Relational Concept"),
            segmented_property_type=Code("113132", "DCM", "Single subject selected from group"),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        made = hd.seg.Segmentation(
            source_images=found.images,
            pixel_array=region.astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[segment],
            content_label="REGION",
            **found.placing,
            **_identifiers(series, derivation, f"region {label}", 9102, region.tobytes()),
        )
        if not found.placed:
            made.PatientOrientation = found.images[0].get("PatientOrientation")
    return _marked(made, derivation, f"region {label}")


def report(verdicts: Sequence[Verdict], series: Series, derivation: Derivation) -> Dataset:
    """Make a Structured Report (TID 1500) of the probabilities before and after.

    Raises
    ------
    OutputError
        There is no verdict.
    MissingExtra
        highdicom is not installed.
    """
    hd = _highdicom("verdicts as Structured Report")
    if not verdicts:
        raise OutputError("There is no verdict to report: predict before and after first.")
    sources = images(series)
    groups = []
    with quiet():
        for verdict in verdicts:
            tracking = hd.sr.TrackingIdentifier(
                uid=derived_uid(series.uid, repr(derivation), verdict.label), identifier=verdict.label[:64]
            )
            measurements = [
                hd.sr.Measurement(
                    name=Code(value, "99MEDADV", f"Probability of {verdict.label} {words}"[:64]),
                    value=share,
                    unit=PROBABILITY,
                )
                for value, words, share in (("PBEFORE", "before", verdict.before), ("PAFTER", "after", verdict.after))
            ]
            groups.append(
                hd.sr.MeasurementsAndQualitativeEvaluations(tracking_identifier=tracking, measurements=measurements)
            )
        device = hd.sr.DeviceObserverIdentifyingAttributes(
            uid=derived_uid(derivation.manufacturer, derivation.model), model_name=derivation.model
        )
        observer = hd.sr.ObserverContext(
            observer_type=Code("121007", "DCM", "Device"), observer_identifying_attributes=device
        )
        content = hd.sr.MeasurementReport(
            observation_context=hd.sr.ObservationContext(observer_device_context=observer),
            procedure_reported=Code("113042", "DCM", "Pixel by pixel addition"),
            imaging_measurements=groups,
            title=Code("126000", "DCM", "Imaging Measurement Report"),
        )
        identifiers = _identifiers(series, derivation, "report", 9103, repr(verdicts).encode())
        kept = ("series_instance_uid", "series_number", "sop_instance_uid", "instance_number", "manufacturer")
        made = hd.sr.ComprehensiveSR(
            evidence=sources, content=content[0], is_complete=True, **{name: identifiers[name] for name in kept}
        )
    return _marked(made, derivation, "report")


def picture(pixels: npt.NDArray[np.uint8], series: Series, derivation: Derivation) -> Dataset:
    """Make a Secondary Capture of a picture, which must not show who the patient is.

    Parameters
    ----------
    pixels
        uint8, (y, x, channel), RGB.

    Raises
    ------
    OutputError
        It is no RGB picture.
    MissingExtra
        highdicom is not installed.
    """
    hd = _highdicom("a picture as Secondary Capture")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise OutputError(
            f"A picture has three channels of 8 bits, not {pixels.shape} of {pixels.dtype}: draw it in RGB."
        )
    first = images(series)[0]
    identifiers = _identifiers(series, derivation, "picture", 9104, pixels.tobytes())
    kept = ("series_instance_uid", "series_number", "sop_instance_uid", "instance_number", "manufacturer")
    with quiet():
        made = hd.sc.SCImage(
            pixel_array=pixels,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("L", "P"),
            study_instance_uid=first.StudyInstanceUID,
            laterality=str(first.get("Laterality", "") or "") or None,
            specific_character_set=UNICODE,
            **{key: first.get(keyword) or None for key, keyword in _PATIENT.items()},
            **{name: identifiers[name] for name in kept},
        )
        made.BurnedInAnnotation = "YES"
        made.PatientOrientation = None
    return _marked(made, derivation, "picture")


_PATIENT = {
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "accession_number": "AccessionNumber",
    "study_id": "StudyID",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "referring_physician_name": "ReferringPhysicianName",
}


def ready() -> None:
    """Make sure that objects can be made, before any work is done.

    Raises
    ------
    MissingExtra
        highdicom is not installed.
    """
    _highdicom("objects for other viewers")


def _highdicom(feature: str) -> Any:
    try:
        import highdicom
        import highdicom.pm
        import highdicom.sc
        import highdicom.seg
        import highdicom.sr
    except ImportError as fault:
        raise MissingExtra("highdicom", "objects", feature) from fault
    return highdicom


def _mapping(hd: Any, label: str, unit: str, difference: npt.NDArray[np.float32]) -> Any:
    """What the numbers of a difference mean: themselves, in `unit`."""
    return hd.pm.RealWorldValueMapping(
        lut_label=label,
        lut_explanation=f"Adversarial minus clean, in {unit}"[:64],
        unit=UNITS.get(unit.upper(), NO_UNIT),
        value_range=(float(difference.min()), float(difference.max()) or 1.0),
        slope=1,
        intercept=0,
    )


def _identifiers(series: Series, derivation: Derivation, what: str, number: int, content: bytes) -> dict[str, Any]:
    recipe = (series.uid, series.part, repr(derivation), what, hashlib.sha256(content).hexdigest())
    return {
        "series_instance_uid": derived_uid("series", *recipe),
        "sop_instance_uid": derived_uid("instance", *recipe),
        "series_number": number,
        "instance_number": 1,
        "manufacturer": derivation.manufacturer,
        "manufacturer_model_name": derivation.model,
        "software_versions": derivation.version or "0",
        "device_serial_number": "0",
    }


def _marked(made: Dataset, derivation: Derivation, what: str) -> Dataset:
    made.SeriesDescription = f"{derivation.mark} {what} {derivation.label}".strip()[:64]
    made.SyntheticData = "YES"
    if "PixelData" in made or "FloatPixelData" in made:
        made.QualityControlImage = "YES"
        made.DerivationDescription = derivation.text
    return made

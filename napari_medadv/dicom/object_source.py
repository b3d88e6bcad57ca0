"""Source of an object: the images of a series as highdicom wants them, and where each slice lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.derivation import derived_uid
from napari_medadv.dicom.geometry import placed
from napari_medadv.dicom.meaning import sides
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.series import Series
from napari_medadv.dicom.words import to_unicode
from napari_medadv.errors import OutputError


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The source of an object with pixels, by the names of highdicom's arguments.

    Attributes
    ----------
    images
        Data sets without pixels: one a slice, or the first multi-frame one.
    placing
        Position, orientation and size of each slice, where `images` does not tell them slice by slice, and further images.
    sides
        Where rows and columns of an image without a place run to, as in `Volume.sides`.
    """

    images: list[Dataset]
    placing: dict[str, Any] = field(default_factory=dict)
    sides: tuple[str, str] = ("", "")

    @property
    def placed(self) -> bool:
        """Whether its slices have a place in the patient."""
        return "FrameOfReferenceUID" in self.images[0]

    def framed(self) -> list[Dataset]:
        """The images; one without a place gets a frame of reference of its own, whose axes are those that its file names.

        A parametric map must have one (PS3.3 A.75.3). It is shared with nothing else, so it says no more than the source.

        Raises
        ------
        OutputError
            The file does not say either which way its rows and columns run in the patient.
        """
        if self.placed:
            return self.images
        if "" in self.sides:
            raise OutputError(_TURNED)
        made = Dataset()
        made.update(self.images[0])
        made.file_meta = self.images[0].file_meta
        made.FrameOfReferenceUID = derived_uid(str(made.SOPInstanceUID), "frame of reference of its own")
        made.ImagePositionPatient = [0, 0, 0]
        made.ImageOrientationPatient = [*_AXES[self.sides[0][0]], *_AXES[self.sides[1][0]]]
        made.PixelSpacing = made.get("PixelSpacing") or made.get("ImagerPixelSpacing") or [1, 1]
        made.SliceThickness = 1
        return [made]


_TILED = "A series of mosaics takes no object that lies over its tiles: save the volume itself."
_UNPLACED = (
    "The frames of this series have no position in the patient, which a parametric map or segmentation of several "
    "frames needs: save the volume itself."
)
_TURNED = (
    "This image says neither where it lies in the patient nor which way it is turned, and a parametric map must: "
    "take the picture and the report."
)
_MAY_BE_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "Manufacturer",
)
_TERMS = {"PatientSex": ("M", "F", "O"), "Laterality": ("R", "L")}
_AXES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def obstacle(series: Series, *, framed: bool = False) -> str:
    """Why no array can be laid over a series, or "": known from headers alone; a parametric map must be `framed`."""
    if any(each.layout is not None and each.layout.tiles > 1 for each in series.instances):
        return _TILED
    if all(placed(each.header) for each in series.slices):
        return ""
    if len(series.slices) > 1:
        return _UNPLACED
    return _TURNED if framed and "" in sides(series.slices[0].header) else ""


def images(series: Series) -> list[Dataset]:
    """The data sets of a series without pixels, one a file.

    Raises
    ------
    OutputError
        They cannot be read again.
    """
    try:
        with quiet():
            return [
                _completed(pydicom.dcmread(each.path, stop_before_pixels=True, force=True)) for each in series.instances
            ]
    except Exception as fault:  # pydicom raises nearly everything on a damaged file
        raise OutputError("The source images cannot be read again: save before they are moved.") from fault


def _completed(image: Dataset) -> Dataset:
    """The image with what highdicom copies unasked: what must be there though empty, no term that the standard does not know, in UTF-8."""
    for keyword in _MAY_BE_EMPTY:
        if keyword not in image:
            setattr(image, keyword, None)
    for keyword, terms in _TERMS.items():
        if keyword in image and image[keyword].value not in terms:
            setattr(image, keyword, None)
    if image.get("SliceThickness") is None and "ImagePositionPatient" in image:
        image.SliceThickness = 1
    to_unicode(image)
    return image


def source(hd: Any, series: Series, shape: tuple[int, ...]) -> Source:
    """The source of an array (z, y, x) or (z, y, x, channel) of the volume of `series`; `hd` is highdicom.

    Raises
    ------
    OutputError
        The array does not fit the series, or nothing says where its slices lie.
    """
    expected = (len(series.slices), series.rows, series.columns)
    if shape[:3] != expected:
        raise OutputError(f"An array of {shape} does not fit this series of {expected}: make it from its volume.")
    refusal = obstacle(series)
    if refusal:
        raise OutputError(refusal)
    found, headers = images(series), [each.header for each in series.slices]
    if not all(placed(header) for header in headers):
        for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator"):
            if keyword in found[0]:
                del found[0][keyword]
        return Source(found, sides=sides(headers[0]))
    if len(found) == len(headers):
        return Source(found)
    first = headers[0]
    placing = {
        "plane_positions": [hd.PlanePositionSequence("PATIENT", header.numbers(a.POSITION)) for header in headers],
        "plane_orientation": hd.PlaneOrientationSequence("PATIENT", first.numbers(a.ORIENTATION)),
        "pixel_measures": hd.PixelMeasuresSequence(first.numbers(a.PIXEL_SPACING), first.number(a.THICKNESS) or 1.0),
    }
    return Source(found[:1], placing | ({"further_source_images": found[1:]} if len(found) > 1 else {}))

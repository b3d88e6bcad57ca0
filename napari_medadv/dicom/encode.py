"""encode(): a changed volume as DICOM data sets that nobody can take for the original."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import UID

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.compress import REVERSIBLE, compressed
from napari_medadv.dicom.derivation import Derivation, derived_uid
from napari_medadv.dicom.geometry import ALLOWABLE
from napari_medadv.dicom.header import Changed
from napari_medadv.dicom.identity import deidentified, marked_patient
from napari_medadv.dicom.instance import Instance
from napari_medadv.dicom.keep import keep_frames
from napari_medadv.dicom.marks import mark
from napari_medadv.dicom.pixels import Frames, tile
from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.series import Series
from napari_medadv.errors import OutputError
from napari_medadv.volume import Array, Volume

Syntax = Literal["explicit", "source"]
IMPLEMENTATION = "2.25.281390263913497229107453187342619853417"
"""Implementation Class UID of this package."""


def encode(
    volume: Volume,
    series: Series,
    derivation: Derivation,
    *,
    keep_study: bool = False,
    deidentify: bool = False,
    syntax: Syntax = "explicit",
) -> list[Dataset]:
    """Encode a volume as a series derived from `series`, one instance for each of the source, in the order of the volume.

    Parameters
    ----------
    keep_study
        Keep patient and study as they are; otherwise the patient is marked `ADV` and the study is a new one.
    deidentify
        Remove what could name the patient.
    syntax
        "explicit": explicit VR little endian, not compressed; "source": compressed as the source, where it is lossless.

    Raises
    ------
    OutputError
        The volume is not one of this series, or holds integers that its files cannot store.
    """
    return list(derived(volume, series, derivation, keep_study=keep_study, deidentify=deidentify, syntax=syntax))


def derived(
    volume: Volume,
    series: Series,
    derivation: Derivation,
    *,
    keep_study: bool = False,
    deidentify: bool = False,
    syntax: Syntax = "explicit",
) -> Iterator[Dataset]:
    """Encode one instance after the other, as `encode` does."""
    _check(volume, series)
    if deidentify:
        refuse_deidentified(series)
    digest = hashlib.sha256(np.ascontiguousarray(volume.voxels).data).hexdigest()
    recipe = (repr(derivation), str(keep_study), str(deidentify), digest)
    series_uid = derived_uid(series.uid, series.part, *recipe)
    extremes = int(volume.voxels.min()), int(volume.voxels.max())
    uids = Counter(each.sop_uid for each in series.instances)
    for number, instance in enumerate(series.instances):
        places = sorted((each.frame, place) for place, each in enumerate(series.slices) if each.instance is instance)
        with quiet():
            dataset = _source(instance)
            keep_frames(dataset, [frame for frame, _ in places], instance)
            pixels = _as_stored(volume.voxels[[place for _, place in places]], instance)
            _put_pixels(dataset, pixels, instance, extremes)
            mark(dataset, derivation, instance)
            own = instance.sop_uid if uids[instance.sop_uid] == 1 else f"{instance.sop_uid} {number}"
            dataset.SOPInstanceUID = derived_uid(own, series.part, *recipe)
            dataset.SeriesInstanceUID = series_uid
            if not keep_study:
                marked_patient(dataset)
            if deidentify:
                deidentified(dataset)
            dataset.file_meta = _meta(dataset)
            if syntax == "source":
                _compress(dataset, pixels, instance)
        yield dataset


def _check(volume: Volume, series: Series) -> None:
    layout = series.instances[0].layout
    if layout is None or any(problem.kind not in ALLOWABLE for problem in series.problems):
        raise OutputError(
            "A series that cannot be read cannot be written: choose the series that the volume came from."
        )
    if any(not each.header.text(a.SOP_CLASS) for each in series.instances):
        raise OutputError(
            "The files of this series do not say which kind of image they are (SOP Class UID), so none can be derived from them: "
            "save from a copy that says it."
        )
    if layout.real:
        raise OutputError(
            "A series of floating point pixels is not written back: export its difference as a parametric map instead."
        )
    expected = (len(series.slices), *layout.shape)
    if volume.series_uid != series.uid or volume.voxels.shape != expected or volume.voxels.dtype != layout.dtype:
        raise OutputError(
            f"The volume ({volume.voxels.dtype}, {volume.voxels.shape}) did not come from this series "
            f"({layout.dtype}, {expected}): save it with the series it was read from."
        )
    low, high = layout.limits
    if int(volume.voxels.min()) < low or int(volume.voxels.max()) > high:
        raise OutputError(
            f"The volume holds integers outside {low} to {high}, which the files of this series cannot store."
        )


def refuse_deidentified(series: Series) -> None:
    """Refuse to remove the identity from a series that could not be read without its private attributes.

    Raises
    ------
    OutputError
        It consists of mosaics, whose slices only private attributes tell apart.
    """
    if any(each.layout is not None and each.layout.tiles > 1 for each in series.instances):
        raise OutputError(
            "The slices of a mosaic (Siemens) are told apart by private attributes, which go with the patient's identity: "
            "save it with the patient marked instead."
        )


def _source(instance: Instance) -> Dataset:
    """The source's attributes without its pixels."""
    try:
        instance.header.check(instance.header.file)
        dataset = pydicom.dcmread(instance.path, stop_before_pixels=True, force=True)
    except Changed as fault:
        raise OutputError(f"The source {instance.path.name} is not what was loaded: {fault}; load it again.") from fault
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise OutputError(f"The source {instance.path.name} cannot be read again: save before it is moved.") from fault
    if instance.header.syntax != a.IMPLICIT and any(getattr(each, "VR", "") is None for each in dataset.values()):
        for _ in dataset.iterall():  # implicit data in a file that says explicit: pydicom would write them as they lie
            pass
    if not instance.header.little:
        for element in dataset.iterall():  # pydicom leaves such words as they lie in a big endian file
            if element.VR == "OW" and isinstance(element.value, bytes):
                element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
    return dataset


def _as_stored(voxels: Array, instance: Instance) -> Array:
    """The slices of one file as the file holds them: tiles go back into their mosaic, whose other tiles stay as they were."""
    layout = instance.layout
    assert layout is not None
    if layout.tiles == 1:
        return voxels
    single = replace(layout, tiles=1)
    whole = np.empty((1, *single.shape), layout.dtype)
    Frames(instance.header, single).read(0, whole[0])
    for index, each in enumerate(voxels):
        tile(whole[0], layout, index)[...] = each
    return whole


def _put_pixels(dataset: Dataset, pixels: Array, instance: Instance, extremes: tuple[int, int]) -> None:
    """Store integers, (frame, y, x) or (frame, y, x, channel), as they are: explicit VR little endian, not compressed."""
    layout = instance.layout
    assert layout is not None
    if layout.allocated == 1:
        data = np.packbits(np.ascontiguousarray(pixels, np.uint8), bitorder="little").tobytes()
    else:
        data = np.ascontiguousarray(pixels, layout.dtype.newbyteorder("<")).tobytes()
    dataset.add_new(Tag(a.PIXELS), "OW" if layout.dtype.itemsize > 1 else "OB", data + b"\0" * (len(data) % 2))
    dataset.BitsStored = 8 if layout.palette else layout.stored
    dataset.HighBit = dataset.BitsStored - 1
    dataset.BitsAllocated = 1 if layout.allocated == 1 else 8 * layout.dtype.itemsize
    if layout.colour:
        dataset.SamplesPerPixel = 3
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = "RGB"
    if layout.palette:
        dataset.PixelRepresentation = 0
        for tag in [each for each in dataset.keys() if 0x00281101 <= each <= 0x00281223]:
            del dataset[tag]
    _extremes(
        dataset,
        "SmallestImagePixelValue",
        "LargestImagePixelValue",
        int(pixels.min()),
        int(pixels.max()),
        layout.colour,
    )
    _extremes(dataset, "SmallestPixelValueInSeries", "LargestPixelValueInSeries", *extremes, layout.colour)


def _compress(dataset: Dataset, pixels: Array, instance: Instance) -> None:
    """Compress as the source is, where that is lossless and gives every integer back."""
    assert instance.layout is not None
    frames = compressed(instance.header.syntax, pixels, instance.layout)
    if frames is None:
        return
    dataset.file_meta.TransferSyntaxUID = UID(instance.header.syntax)
    dataset.PixelData = encapsulate(frames)
    if instance.layout.colour and instance.header.syntax in REVERSIBLE:
        dataset.PhotometricInterpretation = "YBR_RCT"
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def _extremes(dataset: Dataset, least: str, most: str, low: int, high: int, drop: bool) -> None:
    """Renew the extremes where the source told them; drop them where 16 bits cannot hold them."""
    for keyword, value in ((least, low), (most, high)):
        if keyword in dataset:
            del dataset[keyword]
            signed = dataset.PixelRepresentation == 1
            if not drop and (-(1 << 15) <= value < 1 << 15 if signed else 0 <= value < 1 << 16):
                dataset.add_new(Tag(keyword), "SS" if signed else "US", value)


def _meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(a.EXPLICIT)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = "NAPARI_MEDADV"
    return meta

"""Derived series of every kind of source: the validators find nothing new, and every other reader finds the judged integers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.compress import LOSSLESS, compress
from napari_medadv.dicom.encode import Syntax
from napari_medadv.dicom.quiet import quiet
from napari_medadv.volume import Array, Volume
from tests.dicom.making import dataset, dciodvfy, write
from tests.dicom.test_mosaic import mosaic, tiles
from tests.dicom.test_multiframe import enhanced

PGD = Derivation("PGD, Linf 8 HU, seed 0", label="PGD 8 HU", version="0.1.0")
SMOOTH = (np.add.outer(np.arange(16), np.arange(12)) * 8 + 300).astype(np.uint16)
COLOURS = np.stack([SMOOTH % 251, SMOOTH % 127, SMOOTH % 89], axis=-1).astype(np.uint8)
Make = Callable[[Path], None]


def three(modality: str, voxels: Array, **changed: Any) -> Make:
    def make(path: Path) -> None:
        for index in range(3):
            own = {key: value(index) if callable(value) else value for key, value in changed.items()}
            write(dataset(modality, index, voxels=voxels + voxels.dtype.type(index), **own), path / f"{index}.dcm")

    return make


def one(modality: str, voxels: Array, syntax: str = a.EXPLICIT, **changed: Any) -> Make:
    def make(path: Path) -> None:
        write(dataset(modality, voxels=voxels, **changed), path / "a.dcm", syntax)

    return make


def packed(modality: str, frames: list[bytes], voxels: Array, syntax: str, **changed: Any) -> Make:
    def make(path: Path) -> None:
        ds = dataset(modality, voxels=voxels, **changed)
        ds.PixelData = encapsulate(frames)
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        write(ds, path / "a.dcm", syntax)

    return make


def cine(path: Path) -> None:
    frames = np.stack([COLOURS, COLOURS + 1, COLOURS + 2])
    write(dataset("XC", voxels=COLOURS, NumberOfFrames=3, PixelData=frames.tobytes()), path / "a.dcm")


def legacy(path: Path) -> None:
    hd = pytest.importorskip("highdicom")
    slices = [dataset("CT", index, voxels=SMOOTH.astype(np.int16) + index) for index in range(3)]
    for each in slices:
        each.file_meta = pydicom.dataset.FileMetaDataset()
        each.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    path.mkdir(parents=True)
    hd.legacy.LegacyConvertedEnhancedCTImage(slices, "1.2.3.1", 5, "1.2.3.2", 1).save_as(path / "a.dcm")


def palette(path: Path) -> None:
    ds = dataset("XC", voxels=(SMOOTH % 256).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", (np.arange(256) * 257).astype("<u2").tobytes())
    write(ds, path / "a.dcm")


def bits(path: Path) -> None:
    voxels = np.random.default_rng(2).integers(
        0, 2, (3, 5, 8), np.uint8
    )  # SimpleITK misreads frames that end within a byte
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=3, BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = np.packbits(voxels, bitorder="little").tobytes()
    write(ds, path / "a.dcm")


def implicit_all_the_same(path: Path) -> None:
    ds = dataset("CT", voxels=SMOOTH.astype(np.int16))
    ds.StudyDate, ds.ContentDate = "20200217", "20200217"
    write(ds, path / "a.dcm", a.IMPLICIT)
    file = path / "a.dcm"
    data = file.read_bytes()
    said, lie = b"\x02\0\x10\0UI\x12\0" + b"1.2.840.10008.1.2\0", b"\x02\0\x10\0UI\x14\0" + b"1.2.840.10008.1.2.1\0"
    length = int.from_bytes(data[140:144], "little") + 2
    file.write_bytes((data[:140] + length.to_bytes(4, "little") + data[144:]).replace(said, lie))


SOURCES: dict[str, Make] = {
    "CT": three("CT", SMOOTH.astype(np.int16)),
    "CT, 12 bits": three(
        "CT", SMOOTH, BitsStored=12, HighBit=11, SmallestImagePixelValue=300, LargestImagePixelValue=510
    ),
    "MR": three("MR", SMOOTH, ScanningSequence="SE", SequenceVariant="NONE", ScanOptions="", MRAcquisitionType="2D"),
    "PET, slope of each slice": three("PT", SMOOTH, RescaleSlope=lambda i: 0.5 + i, RescaleIntercept=0, Units="BQML"),
    "CR": one("CR", SMOOTH, BitsStored=12, HighBit=11, PatientOrientation=["L", "F"], ViewPosition="PA"),
    "CR, MONOCHROME1": one("CR", SMOOTH, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11),
    "enhanced MR": lambda path: void(enhanced(path / "a.dcm", [8, 0, 4])),
    "enhanced CT, converted": legacy,
    "mosaic": lambda path: void(mosaic(tiles(), path / "a.dcm")),
    "photograph": one("XC", COLOURS),
    "photograph, plane after plane": one(
        "XC", COLOURS, PlanarConfiguration=1, PixelData=np.moveaxis(COLOURS, -1, 0).tobytes()
    ),
    "photograph, YBR_FULL": one("XC", COLOURS, PhotometricInterpretation="YBR_FULL"),
    "palette": palette,
    "colour cine": cine,
    "bits": bits,
    "implicit in spite of its syntax": implicit_all_the_same,
    "implicit": one("CT", SMOOTH.astype(np.int16), a.IMPLICIT),
    "deflated": one("CT", SMOOTH.astype(np.int16), a.DEFLATED),
    "big endian": one("CT", SMOOTH, a.BIG_ENDIAN, PixelData=SMOOTH.astype(">u2").tobytes()),
    "JPEG, lossy grey": packed(
        "CR",
        [bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(COLOURS[..., 0]), level=95))],
        COLOURS[..., 0],
        a.JPEG_BASELINE,
        LossyImageCompression="01",
        LossyImageCompressionRatio=3,
        LossyImageCompressionMethod="ISO_10918_1",
    ),
    "JPEG, lossy colour": packed(
        "XC",
        [bytes(imagecodecs.jpeg8_encode(COLOURS, level=95))],
        COLOURS,
        a.JPEG_BASELINE,
        PhotometricInterpretation="YBR_FULL_422",
        LossyImageCompression="01",
        LossyImageCompressionRatio=3,
        LossyImageCompressionMethod="ISO_10918_1",
    ),
}
NAMES = {
    a.RLE: "RLE",
    a.JPEG_LOSSLESS_SV1: "JPEG lossless",
    a.JPEG_LS: "JPEG-LS",
    a.JPEG2000_LOSSLESS: "JPEG 2000",
    a.HTJ2K_LOSSLESS: "HTJ2K",
}
for syntax in sorted(LOSSLESS):
    for kind in (np.uint16, np.int16):
        grey = SMOOTH.astype(kind)
        SOURCES[f"{NAMES[syntax]}, {grey.dtype}"] = packed("CT", [compress(syntax, grey)], grey, syntax)
for syntax in sorted(LOSSLESS):
    SOURCES[f"{NAMES[syntax]}, colour"] = packed("XC", [compress(syntax, COLOURS)], COLOURS, syntax)
UNCOMPRESS = {a.RLE: "dcmdrle", a.JPEG_LS: "dcmdjpls", a.JPEG_LOSSLESS_SV1: "dcmdjpeg"}
"""What makes a file uncompressed; dcmtk knows no JPEG 2000."""


def void(path: Path) -> None:
    """Make, and forget where."""


def judged(volume: Volume) -> Volume:
    """The volume with a few integers changed, within what can be stored."""
    voxels = volume.voxels.astype(np.int64)
    voxels[:, 1:4, 1:4] = np.where(
        voxels[:, 1:4, 1:4] < volume.scale.highest, voxels[:, 1:4, 1:4] + 1, volume.scale.lowest
    )
    return volume.with_voxels(voxels.astype(volume.voxels.dtype))


@pytest.fixture(params=list(SOURCES))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    SOURCES[request.param](tmp_path / "source")
    return request.param, tmp_path


@pytest.mark.parametrize("syntax", ["explicit", "source"])
def test_every_reader_finds_the_judged_integers(pair: tuple[str, Path], syntax: Syntax) -> None:
    _, path = pair
    series = scan(path / "source")[0]
    volume = judged(decode(series))
    files = save(volume, series, PGD, path / "out", syntax=syntax)
    sources = [each.path for each in series.instances]
    new = [sorted(dciodvfy(file) - dciodvfy(readable(source))) for file, source in zip(files, sources, strict=True)]
    assert not any(new), new
    again = decode(scan(path / "out")[0])
    assert (again.voxels == volume.voxels).all() and again.scale.unit == volume.scale.unit
    for file, instance in zip(files, series.instances, strict=True):
        whole = expected(volume, series, instance, file)
        theirs = pydicom.dcmread(file)
        compressed = str(theirs.file_meta.TransferSyntaxUID)
        wished = syntax == "source" and instance.header.syntax in LOSSLESS
        assert compressed == (instance.header.syntax if wished else a.EXPLICIT)
        assert np.array_equal(theirs.pixel_array.reshape(whole.shape), whole)
        assert np.array_equal(by_itk(file).reshape(whole.shape), as_itk_shows(whole, theirs, volume))
        if compressed in UNCOMPRESS or compressed == a.EXPLICIT:
            assert by_dcmtk(file, compressed, path) == stored_bytes(whole, theirs)


def readable(source: Path) -> Path:
    """The file, or the same as it should be: dicom3tools reads no deflated one, and none that is not what it says."""
    with quiet():
        ds = pydicom.dcmread(source)
    syntax = ds.file_meta.TransferSyntaxUID
    lies = syntax != a.IMPLICIT and any(getattr(each, "VR", "") is None for each in ds.values())
    if syntax != a.DEFLATED and not lies:
        return source
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    for _ in ds.iterall():
        pass
    ds.save_as(source.with_suffix(".plain"), implicit_vr=False, little_endian=True)
    return source.with_suffix(".plain")


def expected(volume: Volume, series: Any, instance: Any, file: Path) -> Array:
    """The judged integers of one file, in its own order of frames; a mosaic as one image."""
    places = sorted((each.frame, place) for place, each in enumerate(series.slices) if each.instance is instance)
    frames: Array = np.asarray(volume.voxels)[[place for _, place in places]]
    if instance.layout.tiles == 1:
        return frames
    rows, columns = frames.shape[1:]
    whole = pydicom.dcmread(instance.path).pixel_array.copy()
    for index, each in enumerate(frames):
        down, right = divmod(index, instance.layout.across)
        whole[down * rows : (down + 1) * rows, right * columns : (right + 1) * columns] = each
    return whole[None]


def by_itk(file: Path) -> Array:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # type: ignore[no-untyped-call]
    found: Array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    return found


def as_itk_shows(whole: Array, ds: Dataset, volume: Volume) -> Array:
    """Our integers as SimpleITK shows them: rescaled by the first frame, MONOCHROME1 inverted, bits as 0 and 255."""
    if ds.PhotometricInterpretation == "MONOCHROME1":
        return volume.scale.highest - whole
    if ds.BitsAllocated == 1:
        return whole * 255
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = ds.get(keyword)
        if groups and "PixelValueTransformationSequence" in groups[0]:
            first = groups[0].PixelValueTransformationSequence[0]
            slope, intercept = float(first.RescaleSlope), float(first.RescaleIntercept)
    found: Array = whole * slope + intercept
    return found


def by_dcmtk(file: Path, syntax: str, path: Path) -> bytes:
    """The bytes of pixel data that dcmtk finds, uncompressed by its own codec."""
    if shutil.which("dcmdump") is None:
        pytest.skip("dcmdump is missing: install Debian's dcmtk to check what it reads")
    if syntax in UNCOMPRESS:
        plain = path / f"plain_{file.name}"
        subprocess.run([UNCOMPRESS[syntax], str(file), str(plain)], check=True, capture_output=True)
        file = plain
    folder = path / f"raw_{file.stem}"
    folder.mkdir()
    subprocess.run(["dcmdump", "+W", str(folder), str(file)], check=True, capture_output=True)
    raw = [each for each in folder.iterdir() if each.suffix == ".raw"]
    assert len(raw) == 1
    return raw[0].read_bytes()


def stored_bytes(whole: Array, ds: Dataset) -> bytes:
    if ds.BitsAllocated == 1:
        data = np.packbits(whole.astype(np.uint8), bitorder="little").tobytes()
    else:
        data = whole.astype(whole.dtype.newbyteorder("<")).tobytes()
    return data + b"\0" * (len(data) % 2)


def test_source_and_derived_are_one_consistent_set(pair: tuple[str, Path]) -> None:
    if shutil.which("dcentvfy") is None:
        pytest.skip("dcentvfy is missing: install the package dicom3tools to check that series fit together")
    _, path = pair
    series = scan(path / "source")[0]
    files = save(judged(decode(series)), series, PGD, path / "out", keep_study=True)
    sources = [str(readable(each.path)) for each in series.instances]

    def errors(*names: str) -> set[str]:
        done = subprocess.run(["dcentvfy", *names], capture_output=True, text=True, check=False)
        return {line.split(" for file ")[0] for line in done.stderr.splitlines() if line.startswith("Error")}

    assert errors(*sources, *map(str, files)) <= errors(*sources)


def test_every_kind_is_there() -> None:
    assert len(SOURCES) == 21 + 3 * len(LOSSLESS)

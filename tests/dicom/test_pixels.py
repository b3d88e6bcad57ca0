"""Every way in which pixels are stored: the same integers, whichever codec, fragments and offset tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID

from napari_medadv.attacks.grid import refuse_real
from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.compress import compress
from napari_medadv.errors import OutputError, SeriesError, ThreatError
from napari_medadv.volume import Array
from tests.dicom.making import dataset, write

SYNTAXES = (a.JPEG_LOSSLESS_SV1, a.JPEG_LS, a.JPEG2000_LOSSLESS, a.HTJ2K_LOSSLESS, a.RLE)


def frames(dtype: str, count: int = 3) -> Array:
    random = np.random.default_rng(7)
    info = np.iinfo(dtype)
    found: Array = random.integers(info.min, info.max, (count, 24, 20), dtype, endpoint=True)
    return found


def packed(
    voxels: Array, syntax: str, path: Path, *, fragments: int = 1, table: str = "none", cut: int | None = None
) -> Path:
    """A multi-frame secondary capture of encoded frames, of each no more than `cut` bytes."""
    encoded = [compress(syntax, frame)[:cut] for frame in voxels]
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=len(voxels))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    if table == "extended":
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(encoded)
    else:
        ds.PixelData = encapsulate(encoded, fragments_per_frame=fragments, has_bot=table == "basic")
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    dcmwrite(path, ds, enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_lossless_codecs(syntax: str, dtype: str, tmp_path: Path) -> None:
    voxels = frames(dtype)
    assert (decode(scan(packed(voxels, syntax, tmp_path / "a.dcm"))[0]).voxels == voxels).all()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_frame_that_is_cut_off_is_refused(syntax: str, tmp_path: Path) -> None:
    cut = len(compress(syntax, frames("uint16", 1)[0])) // 2
    with pytest.raises(SeriesError, match="cannot be decoded"):
        decode(scan(packed(frames("uint16", 1), syntax, tmp_path / "a.dcm", cut=cut))[0])


@pytest.mark.parametrize(
    ("fragments", "table", "syntax"),
    [
        (3, "basic", a.RLE),
        (3, "none", a.JPEG_LS),
        (2, "none", a.JPEG2000_LOSSLESS),
        (1, "extended", a.JPEG_LS),
        (1, "basic", a.RLE),
    ],
)
def test_fragments_and_offset_tables(fragments: int, table: str, syntax: str, tmp_path: Path) -> None:
    voxels = frames("uint16", 4)
    volume = decode(scan(packed(voxels, syntax, tmp_path / "a.dcm", fragments=fragments, table=table))[0])
    assert (volume.voxels == voxels).all()
    assert any("no position" in fact for fact in volume.facts)


def test_frames_that_cannot_be_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="cannot be told apart into 4 frames"):
        decode(scan(packed(frames("uint16", 4), a.RLE, tmp_path / "a.dcm", fragments=3))[0])


@pytest.mark.parametrize(("syntax", "little"), [(a.IMPLICIT, True), (a.BIG_ENDIAN, False), (a.DEFLATED, True)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32"])
def test_uncompressed_syntaxes(syntax: str, little: bool, dtype: str, tmp_path: Path) -> None:
    voxels = frames(dtype, 3)
    data = voxels.astype(voxels.dtype.newbyteorder("<" if little else ">")).tobytes()
    if not little and voxels.itemsize == 1:
        data = np.frombuffer(data, "<u2").byteswap().tobytes()
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=3)
    ds.PixelData = data
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    assert (decode(scan(tmp_path / "a.dcm")[0]).voxels == voxels).all()


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    voxels = frames("uint16", 1)
    path = packed(voxels, a.JPEG_LS, tmp_path / "a.dcm")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x28\x00\x10\x00US\x02\x00\x18\x00", b"\x28\x00\x10\x00US\x02\x00\x19\x00"))
    with pytest.raises(SeriesError, match="frame is 24 x 20 x 1 where its header says 25 x 20 x 1"):
        decode(scan(path)[0])


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("syntax", [a.EXPLICIT, a.IMPLICIT, a.DEFLATED])
def test_floating_point_pixels(bits: int, syntax: str, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(0, 1e-3, (3, 16, 12)).astype(f"<f{bits // 8}")
    values[1, 2, 3] = np.nan
    ds: Any = dataset("MR", BitsAllocated=bits, NumberOfFrames=3)
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(ds, keyword)
    setattr(ds, "FloatPixelData" if bits == 32 else "DoubleFloatPixelData", values.tobytes())
    volume = decode(scan(write(ds, tmp_path / "float.dcm", syntax))[0])
    assert volume.real and volume.voxels.dtype == values.dtype and np.array_equal(volume.voxels, values, equal_nan=True)
    assert volume.padding.sum() == 1 and volume.values().dtype == np.float32
    low, high = volume.window.limits
    assert low == pytest.approx(np.nanmin(values[1])) and high == pytest.approx(np.nanmax(values[1]))
    with pytest.raises(ThreatError, match="no grey levels"):
        refuse_real(volume)
    series = scan(tmp_path / "float.dcm")[0]
    with pytest.raises(OutputError, match="not written back"):
        save(volume, series, Derivation("x"), tmp_path / "out")


def test_floating_point_pixels_that_cannot_be(tmp_path: Path) -> None:
    ds: Any = dataset("CR")
    del ds.PixelData
    ds.FloatPixelData = bytes(16 * 12 * 4)
    with pytest.raises(SeriesError, match="of 16 bits in 1 channels: one channel of 32 bits"):
        decode(scan(write(ds, tmp_path / "float.dcm"))[0])
    ds.BitsAllocated, ds.FloatPixelData = 32, bytes(16 * 11 * 4)
    with pytest.raises(SeriesError, match="704 bytes of pixels where its size needs 768"):
        decode(scan(write(ds, tmp_path / "float.dcm"))[0])


@pytest.mark.parametrize("syntax", [a.EXPLICIT, a.IMPLICIT, a.DEFLATED])
def test_bits_whose_frames_do_not_begin_with_a_byte(syntax: str, tmp_path: Path) -> None:
    voxels = np.random.default_rng(2).integers(0, 2, (5, 5, 7), np.uint8)
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=5, BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = np.packbits(voxels, bitorder="little").tobytes()  # 5 x 35 bits in 22 bytes
    path = write(ds, tmp_path / "in" / "bits.dcm", syntax)
    series = scan(path)[0]
    volume = decode(series)
    assert (volume.voxels == voxels).all() and (volume.scale.lowest, volume.scale.highest) == (0, 1)
    assert (pydicom.dcmread(path).pixel_array == voxels).all()
    files = save(volume.with_voxels(1 - volume.voxels), series, Derivation("x"), tmp_path / "out")
    derived = pydicom.dcmread(files[0])
    assert derived.BitsAllocated == 1 and (derived.pixel_array == 1 - voxels).all()
    ds.PixelData = ds.PixelData[:20]
    with pytest.raises(SeriesError, match="20 bytes of pixels where its size needs 22"):
        decode(scan(write(ds, tmp_path / "cut.dcm"))[0])


def test_compressed_bits_are_refused(tmp_path: Path) -> None:
    ds = dataset("CR", BitsAllocated=1, BitsStored=1, HighBit=0, PixelRepresentation=0)
    ds.PixelData = encapsulate([bytes(100)])
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(SeriesError, match="stores single bits, compressed"):
        decode(scan(write(ds, tmp_path / "a.dcm", a.RLE))[0])


def test_a_transfer_syntax_without_a_decoder_is_named(tmp_path: Path) -> None:
    ds = dataset()
    path = write(ds, tmp_path / "a.dcm")
    ds = pydicom.dcmread(path)
    ds.PixelData = encapsulate([b"no frame"])
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")
    ds.save_as(path)
    with pytest.raises(SeriesError, match=r"MPEG2 .*is not read; have it sent in another"):
        decode(scan(path)[0])

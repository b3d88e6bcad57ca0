"""Siemens mosaics: each tile a slice at its place, as an independent reader has it; written back as a mosaic."""

from __future__ import annotations

from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.dicom.csa import csa
from napari_medadv.errors import OutputError, SeriesError
from napari_medadv.volume import Array
from tests.dicom.making import dataset, write

TILT = [0.9998477, 0.0, 0.0174524, 0.0, 1.0, 0.0]
NORMAL = np.cross(TILT[:3], TILT[3:])


def header(form: str = "SV10", **values: Any) -> bytes:
    """A CSA header; each tag has six items, of which the first ones are filled. Without "SV10", its first version as somebody describes it."""
    data = (b"SV10\4\3\2\1" if form == "SV10" else b"") + pack("<II", len(values), 77)
    more, junk = (0 if form in ("SV10", "GDCM") else 6), b"\0" if form == "SV10" else b"\xcd"
    for name, value in values.items():
        texts = [f"{each:.8f}" if isinstance(each, float) else str(each) for each in np.atleast_1d(value).tolist()]
        vr = b"LO\0\0" if isinstance(value, str) else b"IS\0\0" if isinstance(value, int) else b"FD\0\0"
        data += pack("<64si4siii", name.encode(), len(texts), vr, 3, 6, 77)
        for index in range(6):
            text = (texts[index].encode() + b"\0") if index < len(texts) else b""
            long = len(text)
            numbers = (long, long, 77, long) if form in ("SV10", "GDCM") else (long + more, 99, 77, long + more)
            data += pack("<4i", *numbers) + text + junk * (4 - long % 4 if form == "SPM" else -long % 4)
    return data


def mosaic(tiles: Array, path: Path, *, normal: Array = NORMAL, form: str = "SV10", **changed: Any) -> Path:
    count, rows, columns = tiles.shape
    across = int(np.ceil(np.sqrt(count)))
    whole = np.full((across * rows, across * columns), 9, np.uint16)
    for index, each in enumerate(tiles):
        down, right = divmod(index, across)
        whole[down * rows : (down + 1) * rows, right * columns : (right + 1) * columns] = each
    ds = dataset("MR", voxels=whole, ImageOrientationPatient=TILT, ImagePositionPatient=[-100, -90, 20])
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    ds.PixelSpacing, ds.SpacingBetweenSlices, ds.Manufacturer = [3, 2], 4.5, "SIEMENS"
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    told = {
        "EchoLinePosition": 32,
        "AcquisitionMatrixText": f"{columns}p*{rows}",
        "NumberOfImagesInMosaic": count,
        "SliceNormalVector": normal,
    }
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x10, "OB", header(form, **told))
    ds.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", count)
    for keyword, value in changed.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return write(ds, path)


def tiles(count: int = 7) -> Array:
    found: Array = np.random.default_rng(count).integers(0, 4000, (count, 6, 8)).astype(np.uint16)
    return found


@pytest.mark.parametrize("sign", [1, -1])
def test_tiles_are_slices_and_lie_where_nibabel_has_them(sign: int, tmp_path: Path) -> None:
    path = mosaic(tiles(), tmp_path / "a.dcm", normal=sign * NORMAL)
    series = scan(path)[0]
    assert (series.rows, series.columns, series.frames, series.part) == (6, 8, 7, "")
    volume = decode(series)
    assert (volume.voxels == tiles()[::sign]).all() and np.allclose(volume.spacing, (4.5, 3, 2))
    theirs = pytest.importorskip("nibabel.nicom.dicomwrappers").wrapper_from_file(path)
    assert theirs.is_mosaic and theirs.image_shape == (6, 8, 7)
    for index in ([0, 0, 0], [5, 0, 0], [0, 7, 0], [2, 3, 4]):
        own = [index[2] if sign == 1 else 6 - index[2], *index[:2]]
        assert np.allclose(theirs.affine @ [*index, 1], volume.affine @ [*own, 1])
        assert theirs.get_data()[tuple(index)] == volume.voxels[tuple(own)]


@pytest.mark.parametrize("form", ["GDCM", "NiBabel", "SPM"])
def test_a_header_of_the_first_version(form: str, tmp_path: Path) -> None:
    series = scan(mosaic(tiles(), tmp_path / "in" / "a.dcm", form=form))[0]
    new = decode(scan(mosaic(tiles(), tmp_path / "new" / "a.dcm"))[0])
    volume = decode(series)
    assert (volume.voxels == new.voxels).all() and np.allclose(volume.affine, new.affine) and len(volume.voxels) == 7
    save(volume.with_voxels(volume.voxels + np.uint16(5)), series, Derivation("x"), tmp_path / "out")
    again = decode(scan(tmp_path / "out")[0])
    assert (again.voxels == volume.voxels + 5).all() and np.allclose(again.affine, volume.affine)


def test_the_place_of_the_first_tile(tmp_path: Path) -> None:
    volume = decode(scan(mosaic(tiles(), tmp_path / "a.dcm"))[0])
    corner = [-100, -90, 20] + 2 * (24 - 8) / 2 * np.array(TILT[:3]) + 3 * (18 - 6) / 2 * np.array(TILT[3:])
    assert np.allclose(volume.affine[:3, 3], corner) and np.allclose(volume.affine[:3, 0], 4.5 * NORMAL)
    assert any("7 slices were the tiles of a mosaic" in fact for fact in volume.facts)


def test_each_time_point_is_a_volume(tmp_path: Path) -> None:
    for index in range(3):
        own: dict[str, Any] = {
            "AcquisitionNumber": index + 1,
            "SOPInstanceUID": f"1.2.{index}",
            "InstanceNumber": index,
        }
        mosaic(tiles() + np.uint16(index), tmp_path / "in" / f"{index}.dcm", **own)
    found = scan(tmp_path / "in")
    assert [series.part for series in found] == [f"mosaic, acquisition {index}" for index in (1, 2, 3)]
    assert all((decode(series).voxels == tiles() + index).all() for index, series in enumerate(found))


def test_a_derived_series_is_a_mosaic_again(tmp_path: Path) -> None:
    path = mosaic(tiles(), tmp_path / "in" / "a.dcm", normal=-NORMAL)
    series = scan(path)[0]
    volume = decode(series)
    files = save(volume.with_voxels(volume.voxels + np.uint16(5)), series, Derivation("x"), tmp_path / "out")
    whole, source = pydicom.dcmread(files[0]), pydicom.dcmread(path).pixel_array
    changed = whole.pixel_array.astype(int) - source
    assert (changed[:12] == 5).all() and (changed[12:, :8] == 5).all() and not changed[12:, 8:].any()
    assert "NumberOfFrames" not in whole
    again = decode(scan(tmp_path / "out")[0])
    assert (again.voxels == volume.voxels + 5).all() and np.allclose(again.affine, volume.affine)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"normal": np.zeros(0)}, "the direction of its slices cannot be read"),
        ({"normal": np.array([1.0, 0, 0])}, "the direction of its slices is not across its rows and columns"),
        ({"SpacingBetweenSlices": None}, "the distance between its slices cannot be read"),
        ({"ImageOrientationPatient": None}, "its orientation cannot be read"),
    ],
)
def test_without_its_tags_a_mosaic_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    series = scan(mosaic(tiles(), tmp_path / "a.dcm", **change))[0]
    with pytest.raises(SeriesError, match=f"mosaics of slices .Siemens., and {words}"):
        decode(series)
    assert decode(series, allow=["mosaic"]).shape == (1, 18, 24)


def test_without_private_elements_a_mosaic_is_refused(tmp_path: Path) -> None:
    path = mosaic(tiles(), tmp_path / "a.dcm")
    ds = pydicom.dcmread(path)
    ds.remove_private_tags()
    ds.save_as(path)
    with pytest.raises(SeriesError, match="the number of its tiles and the direction of its slices cannot be read"):
        decode(scan(path)[0])


@pytest.mark.parametrize("form", ["SV10", "GDCM", "NiBabel", "SPM"])
def test_a_damaged_private_header_gives_what_it_has(form: str) -> None:
    whole = header(form, A=[1, 2], B=3.5)
    assert csa(whole) == {"A": ("1", "2"), "B": ("3.50000000",)}
    assert all(set(csa(whole[:end])) <= {"A", "B"} for end in range(len(whole)))
    assert csa(b"SV10\4\3\2\1" + b"\xff" * 4000)


def test_a_mosaic_keeps_its_private_attributes_or_is_not_written(tmp_path: Path) -> None:
    series = scan(mosaic(tiles(), tmp_path / "in" / "a.dcm"))[0]
    with pytest.raises(OutputError, match="told apart by private attributes"):
        save(decode(series), series, Derivation("x"), tmp_path / "out", deidentify=True)
    assert not (tmp_path / "out").exists()

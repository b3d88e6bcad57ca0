"""A folder becomes a volume: order, place, meaning and integers."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import Derivation, save
from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.errors import Cancelled, OutputError, SeriesError
from tests.dicom.making import dataset, write

Folder = Callable[..., Path]


def test_ct_is_ordered_by_position_and_placed(folder: Folder) -> None:
    found = scan(folder(4))
    assert len(found) == 1 and not found.rejected
    series = found[0]
    assert (series.modality, series.rows, series.columns, series.frames) == ("CT", 16, 12, 4)
    volume = decode(series)
    assert volume.voxels.dtype == np.int16 and volume.shape == (4, 16, 12)
    assert volume.voxels[:, 0, 0].tolist() == [0, 100, 200, 300]
    assert np.allclose(volume.affine @ [0, 0, 0, 1], [-10, -20, 5, 1])
    assert np.allclose(volume.affine @ [3, 2, 4, 1], [-10 + 4 * 0.75, -20 + 2 * 0.5, 5 + 7.5, 1])
    assert volume.scale.unit == "HU" and volume.scale.intercept.tolist() == [-1024]
    assert [(w.center, w.width, w.explanation) for w in volume.windows] == [
        (-600, 1500, "LUNG"),
        (40, 400, "MEDIASTINUM"),
    ]
    assert volume.placed and not volume.facts


def test_orientation_is_kept(folder: Folder) -> None:
    volume = decode(scan(folder(3, ImageOrientationPatient=[1, 0, 0, 0, -1, 0]))[0])
    assert np.allclose(volume.affine[:3, 1], [0, -0.5, 0])
    assert volume.affine[2, 0] == -2.5 and volume.voxels[0, 0, 0] == 200


def test_rescale_differs_from_slice_to_slice(folder: Folder) -> None:
    path = folder(3, "PT", RescaleSlope=lambda i: 0.5 + i, RescaleIntercept=0, Units="BQML")
    volume = decode(scan(path)[0])
    assert volume.scale.unit == "BQML" and volume.scale.slope.tolist() == [0.5, 1.5, 2.5]


def test_twelve_bits_are_extended_and_junk_is_dropped(tmp_path: Path) -> None:
    values = np.array([[-2048, -1, 0, 2047]], np.int16)
    junk = (values & 0x0FFF) | np.array([[0x1000, 0x6000, -0x8000, 0x7000]], np.int64).astype(np.int16)
    ds = dataset("CT", voxels=junk, BitsStored=12, HighBit=11, PixelPaddingValue=-2048)
    volume = decode(scan(write(ds, tmp_path / "a.dcm"))[0])
    assert volume.voxels[0].tolist() == values.tolist()
    assert (volume.scale.lowest, volume.scale.highest, volume.scale.padding) == (-2048, 2047, (-2048, -2048))


def test_high_bit_above(tmp_path: Path) -> None:
    ds = dataset("MR", voxels=np.array([[0x1230, 0xFFFF]], np.uint16), BitsStored=12, HighBit=15)
    assert decode(scan(write(ds, tmp_path / "a.dcm"))[0]).voxels[0].tolist() == [[0x123, 0xFFF]]


def test_radiograph_has_no_place_and_is_not_inverted(tmp_path: Path) -> None:
    pixels = np.array([[0, 1000], [2000, 4095]], np.uint16)
    ds = dataset("CR", voxels=pixels, BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1")
    ds.ImagerPixelSpacing = [0.2, 0.1]
    volume = decode(scan(write(ds, tmp_path / "a.dcm"))[0])
    assert (volume.voxels[0] == pixels).all() and volume.photometric == "MONOCHROME1"
    assert not volume.placed and volume.spacing == (1, 0.2, 0.1) and volume.scale.unit == "stored value"
    assert volume.scale.highest == 4095 and "detector" in volume.facts[0]


@pytest.mark.parametrize(
    ("said", "sides"),
    [
        (["L", "F"], ("L", "I")),
        (["R", "H"], ("R", "S")),
        (["A", "FR"], ("A", "IR")),
        (["P", "F"], ("P", "I")),
        (["L", "R"], ("", "")),
        (["L", "LR"], ("", "")),
        (["LEFT", "F"], ("", "")),
        (["L"], ("", "")),
        ([], ("", "")),
    ],
)
def test_a_radiograph_says_where_its_sides_are(said: list[str], sides: tuple[str, str], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write(dataset("CR", PatientOrientation=said), tmp_path / "a.dcm")
    volume = decode(scan(path)[0])
    assert volume.sides == sides
    assert any("seen from behind" in fact for fact in volume.facts) == (sides[0] == "R")


def test_a_placed_image_needs_no_sides(folder: Folder) -> None:
    assert decode(scan(folder(2, PatientOrientation=["R", "F"]))[0]).sides == ("", "")


def test_colour(tmp_path: Path) -> None:
    pixels = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    volume = decode(scan(write(dataset("XC", voxels=pixels), tmp_path / "a.dcm"))[0])
    assert volume.colour and (volume.voxels[0] == pixels).all()
    assert (volume.scale.unit, volume.scale.lowest, volume.scale.highest) == ("level", 0, 255)
    planar = dataset("XC", voxels=pixels, PlanarConfiguration=1, PixelData=np.moveaxis(pixels, -1, 0).tobytes() + b"\0")
    assert (decode(scan(write(planar, tmp_path / "b.dcm"))[0]).voxels[0] == pixels).all()
    planar.PlanarConfiguration = 2
    with pytest.raises(SeriesError, match="Planar Configuration 2: 0"):
        decode(scan(write(planar, tmp_path / "c" / "c.dcm"))[0])


def test_tilted_gantry_is_a_shear(folder: Folder) -> None:
    volume = decode(scan(folder(4, ImagePositionPatient=lambda i: [0, i * 1.0, i * 2.5]))[0])
    assert np.allclose(volume.affine[:3, 0], [0, 1, 2.5])
    assert "21.8 degrees" in volume.facts[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ImagePositionPatient": lambda i: [0, 0, [0, 1, 2, 4][i]]}, "1 slice is missing"),
        ({"ImagePositionPatient": lambda i: [0, 0, [0, 1, 2.2, 3][i]]}, "varies"),
        ({"ImagePositionPatient": lambda i: [0, 0, i // 2]}, "where another one lies already"),
        ({"ImagePositionPatient": lambda i: [[0, 0, 5, 0][i], 0, i]}, "straight line"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "perpendicular"),
    ],
)
def test_what_is_no_volume_is_refused(folder: Folder, changed: dict[str, object], words: str) -> None:
    series = scan(folder(4, **changed))[0]
    with pytest.raises(SeriesError, match=words) as refusal:
        decode(series)
    assert "Doe" not in str(refusal.value) and "/" not in str(refusal.value)


def test_what_is_not_dicom(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="does not exist"):
        scan(tmp_path / "nothing")
    with pytest.raises(SeriesError, match="holds no files"):
        scan(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.txt").write_text("")
    with pytest.raises(SeriesError, match="not a DICOM file"):
        scan(tmp_path / "a.txt")
    with pytest.raises(SeriesError, match="None of the 2 files"):
        scan(tmp_path)
    write(dataset(), tmp_path / "deep" / "er" / "c.dcm")
    write(dataset(PixelData=None, Rows=None), tmp_path / "d.dcm")
    found = scan(tmp_path)
    assert len(found) == 1 and sorted(each.path.name for each in found.rejected) == ["a.txt", "b.txt", "d.dcm"]


def test_a_file_cut_off_is_missed(folder: Folder) -> None:
    path = folder(4)
    last = sorted(path.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-20])
    series = scan(path)[0]
    assert len(series.instances) == 4
    with pytest.raises(SeriesError, match=f"{last.name} is cut off: 364 of 384 bytes"):
        decode(series)


def test_file_cut_off_in_its_header(folder: Folder) -> None:
    path = folder(1)
    only = next(path.iterdir())
    only.write_bytes(only.read_bytes()[:300])
    with pytest.raises(SeriesError, match=only.name):
        scan(path)


def test_reading_can_be_stopped(folder: Folder) -> None:
    def stop(share: float, words: str) -> None:
        raise Cancelled("Reading")

    series = scan(folder(3))[0]
    with pytest.raises(Cancelled):
        decode(series, progress=stop)


def test_vanished_file(folder: Folder) -> None:
    path = folder(2)
    series = scan(path)[0]
    next(path.iterdir()).unlink()
    with pytest.raises(SeriesError, match="cannot be read"):
        decode(series)


@pytest.mark.parametrize("kind", ["longer", "same length"])
def test_a_file_that_was_written_again_since_it_was_listed(kind: str, folder: Folder, tmp_path: Path) -> None:
    path = folder(4)
    series = scan(path)[0]
    volume = decode(series)
    changed = series.instances[2].path
    if kind == "longer":
        write(dataset("CT", 2, PatientName="Somebody^Else", Rows=8, Columns=24), changed)
    else:
        changed.write_bytes(changed.read_bytes()[:-1] + b"\1")
        os.utime(changed, ns=(1, 1))
    name = re.escape(changed.name)
    with pytest.raises(SeriesError, match=f"{name} cannot be decoded: it changed since it was listed; open its folder"):
        decode(series)
    with pytest.raises(OutputError, match=f"The source {name} is not what was loaded: it changed since it was listed"):
        save(volume, series, Derivation("x"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert kind == "longer" or decode(scan(path)[0]).shape == volume.shape

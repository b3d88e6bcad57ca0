"""Lookup tables and windows of files: what stored values mean and how they are shown, to the entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.dicom.attribute import VOI_LUT
from napari_medadv.dicom.functional import _asked, _walked
from napari_medadv.dicom.header import read_header
from napari_medadv.dicom.window import presets
from napari_medadv.errors import SeriesError
from napari_medadv.volume import Volume, Window
from tests.dicom.making import dataset, dciodvfy, write
from tests.dicom.test_multiframe import enhanced, item

PIXELS = np.arange(16 * 12, dtype=np.uint16).reshape(16, 12) * 21
"""0 to 4011, 12 bits."""


def table(entries: Any, *, first: int = 0, bits: int = 16, signed: bool = False, **more: str) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "SS" if signed else "US", [len(entries) & 0xFFFF, first, bits])
    if bits == 8:
        data = np.asarray(entries, np.uint8).tobytes()
        item.add_new(0x00283006, "OW", data + b"\0" * (len(data) % 2))
    else:
        item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def read(tmp_path: Path, **changed: Any) -> tuple[Volume, pydicom.Dataset]:
    ds = dataset("CR", voxels=PIXELS, BitsStored=12, HighBit=11, **changed)
    path = write(ds, tmp_path / "in" / "a.dcm")
    return decode(scan(path)[0]), pydicom.dcmread(path)


def test_a_modality_table_that_is_a_line_becomes_slope_and_intercept(tmp_path: Path) -> None:
    item = table(np.arange(4096) * 3 + 100, ModalityLUTType="OD")
    volume, ds = read(tmp_path, ModalityLUTSequence=[item], WindowCenter=2000, WindowWidth=1000)
    assert (volume.scale.unit, volume.scale.slope.tolist(), volume.scale.intercept.tolist()) == ("OD", [3], [100])
    assert volume.scale.table is None and (volume.voxels[0] == PIXELS).all()
    assert (volume.values()[0] == apply_modality_lut(ds.pixel_array, ds)).all()
    assert volume.window.limits == Window(2000, 1000).limits


def test_a_modality_table_that_is_no_line_stays_beside_the_stored_values(tmp_path: Path) -> None:
    entries = (np.linspace(0, 1, 4096) ** 2 * 4000).astype(int)
    volume, ds = read(
        tmp_path, ModalityLUTSequence=[table(entries, ModalityLUTType="HU")], WindowCenter=2000, WindowWidth=1000
    )
    assert volume.scale.unit == "stored value" and (volume.values()[0] == PIXELS).all()
    assert volume.scale.table is not None and volume.scale.table.unit == "HU"
    theirs = apply_modality_lut(ds.pixel_array, ds)
    assert (volume.scale.table(volume.voxels)[0] == theirs).all()
    expected = Window(2000, 1000).grey(theirs)
    assert np.allclose(volume.window.grey(volume.values()[0]), expected, atol=1e-6)
    low, high = volume.window.limits  # in stored values: where the window begins and ends
    assert entries[int(low)] <= 1500 <= entries[int(low) + 1] and entries[int(high) - 1] <= 2499 <= entries[int(high)]
    assert any("budgets are in stored values" in fact for fact in volume.facts)


def test_without_a_window_all_of_the_table_is_shown(tmp_path: Path) -> None:
    entries = 4000 - np.arange(4096) ** 2 // 4200
    volume, _ = read(tmp_path, ModalityLUTSequence=[table(entries)])
    shown = volume.window.grey(volume.values()[0])
    assert np.allclose(shown, (entries[PIXELS] - entries.min()) / (entries.max() - entries.min()), atol=1e-6)
    assert volume.scale.table is not None and volume.scale.table.unit == "rescaled value"


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_display_table_is_the_window(bits: int, tmp_path: Path) -> None:
    most = (1 << bits) - 1
    entries = np.rint(most / (1 + np.exp(-np.linspace(-6, 6, 1000)))).astype(int)
    volume, ds = read(tmp_path, VOILUTSequence=[table(entries, first=500, bits=bits, LUTExplanation="soft")])
    window = volume.window
    assert (window.function, window.explanation) == ("TABLE", "soft") and "soft" in presets(volume)
    expected = entries[np.clip(PIXELS.astype(int) - 500, 0, 999)]
    assert bits == 8 or (apply_voi_lut(ds.pixel_array, ds) == expected).all()  # pydicom cannot read packed entries
    assert np.allclose(window.grey(volume.values()[0]), expected / most, atol=1e-6)
    assert 500 <= window.limits[0] < window.limits[1] <= 1499


def test_windows_come_first_and_each_function_is_dicoms(tmp_path: Path) -> None:
    item = table(np.arange(200), first=50, bits=12)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        volume, ds = read(
            tmp_path / function,
            VOILUTSequence=[item],
            WindowCenter=[2000, 500],
            WindowWidth=[1000, 300],
            VOILUTFunction=function,
        )
        assert [each.function for each in volume.windows] == [function, function, "TABLE"]
        for index in (0, 1):
            theirs = apply_voi_lut(ds.pixel_array, ds, index=index, prefer_lut=False) / 4095
            assert np.allclose(volume.windows[index].grey(volume.values()[0]), theirs, atol=1e-3)
        assert len(presets(volume)) == 4


def test_a_table_of_signed_inputs_and_one_that_is_whole(tmp_path: Path) -> None:
    voxels = (PIXELS.astype(np.int16) - 2000).astype(np.int16)
    item = table(np.arange(4096), first=-2048, bits=12, signed=True)
    path = write(dataset("CR", voxels=voxels, BitsStored=12, HighBit=11, VOILUTSequence=[item]), tmp_path / "a.dcm")
    volume = decode(scan(path)[0])
    assert np.allclose(volume.window.grey(volume.values()[0]), (voxels + 2048) / 4095, atol=1e-6)
    whole = table(np.arange(65536), bits=16)
    path = write(dataset("CR", voxels=PIXELS, ModalityLUTSequence=[whole]), tmp_path / "b.dcm")
    assert decode(scan(path)[0]).scale.slope.tolist() == [1]


def test_a_damaged_modality_table_is_refused_and_a_damaged_display_table_left_out(tmp_path: Path) -> None:
    short = table(np.arange(50))
    short.LUTDescriptor = [500, 0, 16]
    path = write(dataset("CR", ModalityLUTSequence=[short]), tmp_path / "a.dcm")
    with pytest.raises(SeriesError, match=r"a.dcm has a modality lookup table that cannot be read"):
        decode(scan(path)[0])
    volume = decode(scan(write(dataset("CR", VOILUTSequence=[short]), tmp_path / "b.dcm"))[0])
    assert volume.windows == () and volume.window.explanation == "full range"


def test_slices_with_different_tables_are_refused(tmp_path: Path) -> None:
    for index in range(3):
        item = table(np.arange(4096) ** 2 // (5000 + index // 2))
        ds = dataset("CT", index, voxels=PIXELS, BitsStored=12, HighBit=11, ModalityLUTSequence=[item])
        del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType
        write(ds, tmp_path / "in" / f"{index}.dcm")
    with pytest.raises(SeriesError, match=r"2.dcm has another modality lookup table"):
        decode(scan(tmp_path / "in")[0])


def test_tables_are_written_back(tmp_path: Path) -> None:
    entries = (np.linspace(0, 1, 4096) ** 2 * 4000).astype(int)
    display = table(np.arange(200), first=50, bits=12)
    volume, _ = read(tmp_path, ModalityLUTSequence=[table(entries, ModalityLUTType="OD")], VOILUTSequence=[display])
    series = scan(tmp_path / "in")[0]
    files = save(volume.with_voxels(volume.voxels + np.uint16(7)), series, Derivation("x"), tmp_path / "out")
    again = decode(scan(tmp_path / "out")[0])
    assert (again.voxels == volume.voxels + 7).all() and again.windows == volume.windows
    assert again.scale.table == volume.scale.table
    assert dciodvfy(files[0]) <= dciodvfy(series.instances[0].path)


KINDS = ("defined", "undefined", "implicit")


def framed(path: Path, change: Callable[[Dataset, list[Dataset]], None], kind: str = "defined") -> Path:
    """An enhanced image of three frames at 8, 0 and 4 mm, with `change` made to its shared group and those of its frames."""
    ds = pydicom.dcmread(enhanced(path, [8, 0, 4]))
    shared, own = ds.SharedFunctionalGroupsSequence[0], list(ds.PerFrameFunctionalGroupsSequence)
    for group in own:
        del group.PixelValueTransformationSequence
    change(shared, own)
    if kind == "undefined":
        for element in ds.iterall():
            if element.VR == "SQ":
                element.is_undefined_length = True
                for each in element.value:
                    each.is_undefined_length_sequence_item = True
    return write(ds, path, ImplicitVRLittleEndian if kind == "implicit" else ExplicitVRLittleEndian)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["shared", "own"])
def test_a_display_table_in_a_functional_group_is_a_window(where: str, kind: str, tmp_path: Path) -> None:
    def change(shared: Dataset, own: list[Dataset]) -> None:
        for index, group in enumerate(own):
            ramp = np.arange(100) * (20 if where == "shared" else 10 + index)
            tables = [table(ramp, LUTExplanation="soft"), table(ramp[::-1].copy(), first=7, LUTExplanation="inverse")]
            if where == "own":
                group.FrameVOILUTSequence[0].VOILUTSequence = tables
                continue
            del group.FrameVOILUTSequence
            shared.FrameVOILUTSequence = [item(VOILUTSequence=tables)]

    path = framed(tmp_path / "a.dcm", change, kind)
    found = [*_asked(read_header(path))[1], _asked(read_header(path))[0]]
    walked = [
        *_walked(read_header(path), 3)[1],
        _walked(read_header(path), 3)[0],
    ]  # unusual enough, it would be a Doubt
    assert (
        [VOI_LUT in each for each in walked]
        == [VOI_LUT in each for each in found]
        == [where == "own"] * 3 + [where == "shared"]
    )
    volume = decode(scan(path)[0])
    middle = np.arange(100) * (20 if where == "shared" else 12)  # the third frame lies between the others
    assert [each.explanation for each in volume.windows] == ([] if where == "shared" else [""]) + ["soft", "inverse"]
    soft, inverse = volume.windows[-2:]
    values = np.arange(120)
    assert np.allclose(soft.grey(values), middle[np.clip(values, 0, 99)] / 65535)
    assert np.allclose(inverse.grey(values), middle[::-1][np.clip(values - 7, 0, 99)] / 65535)
    assert {"soft", "inverse"} <= set(presets(volume))


@pytest.mark.parametrize("where", ["shared", "own"])
def test_windows_and_their_function_in_a_functional_group(where: str, tmp_path: Path) -> None:
    def change(shared: Dataset, own: list[Dataset]) -> None:
        for index, group in enumerate(own):
            voi = item(
                WindowCenter=[40 + index, 500],
                WindowWidth=[80, 1500],
                WindowCenterWidthExplanation=["BRAIN", "BONE"],
                VOILUTFunction="SIGMOID",
            )
            del group.FrameVOILUTSequence
            (shared if where == "shared" else group).FrameVOILUTSequence = [voi]

    volume = decode(scan(framed(tmp_path / "a.dcm", change))[0])
    assert [(each.center, each.width, each.function) for each in volume.windows] == [
        (42, 80, "SIGMOID"),
        (500, 1500, "SIGMOID"),
    ]
    assert list(presets(volume))[:2] == ["brain", "bone"]
    assert volume.window.grey(np.array([42.0])) == 0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["shared", "own"])
def test_a_modality_table_in_a_functional_group(where: str, kind: str, tmp_path: Path) -> None:
    entries = np.arange(200) ** 2 + 5

    def change(shared: Dataset, own: list[Dataset]) -> None:
        meant = [item(ModalityLUTSequence=[table(entries, ModalityLUTType="OD")])]
        for group in [shared] if where == "shared" else own:
            group.PixelValueTransformationSequence = meant

    path = framed(tmp_path / "in" / "a.dcm", change, kind)
    volume = decode(scan(path)[0])
    assert volume.scale.table is not None and volume.scale.table.unit == "OD"
    assert volume.scale.table(volume.voxels)[:, 0, 0].tolist() == [11**2 + 5, 21**2 + 5, 1**2 + 5]
    assert np.allclose(volume.window.grey(np.array([5])), Window(40, 80).grey(entries[[5]]))
    save(volume, scan(path)[0], Derivation("x"), tmp_path / "out")
    again = decode(scan(tmp_path / "out")[0])
    assert again.scale.table == volume.scale.table and again.windows == volume.windows


def test_frames_with_different_modality_tables_are_refused(tmp_path: Path) -> None:
    def change(shared: Dataset, own: list[Dataset]) -> None:
        for index, group in enumerate(own):
            meant = item(ModalityLUTSequence=[table(np.arange(200) + index)])
            group.PixelValueTransformationSequence = [meant]

    with pytest.raises(SeriesError, match=r"a.dcm has another modality lookup table"):
        decode(scan(framed(tmp_path / "a.dcm", change))[0])


def test_a_frame_without_the_table_of_the_others_is_refused(tmp_path: Path) -> None:
    def change(shared: Dataset, own: list[Dataset]) -> None:
        for group in own[:2]:
            group.PixelValueTransformationSequence = [item(ModalityLUTSequence=[table(np.arange(200))])]

    with pytest.raises(SeriesError, match=r"a.dcm has another modality lookup table"):
        decode(scan(framed(tmp_path / "a.dcm", change))[0])

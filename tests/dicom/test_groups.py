"""Functional groups read without data sets say what pydicom says, or leave it to pydicom."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom import functional
from napari_medadv.dicom.functional import _asked, _walked
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.walk import Doubt
from napari_medadv.errors import MedAdvError, SeriesError
from tests.dicom.making import write
from tests.dicom.test_corpus import SOURCES, files
from tests.dicom.test_multiframe import enhanced, item

Raw = dict[int, bytes]
DOUBLES = (a.B_VALUE, a.B_DIRECTION)


def meaning(raw: Raw) -> dict[int, object]:
    """The values in a form in which `2.50` and `2.5` are the same."""
    header = Header("", "", raw, None, 0)
    return {
        tag: header.doubles(tag) if tag in DOUBLES else header.numbers(tag) or header.texts(tag)
        for tag in raw
        if tag in DOUBLES or header.text(tag)
    }


def compare(path: Path) -> str:
    """Read the groups both ways and compare; what became of it."""
    try:
        header = read_header(path)
    except MedAdvError:
        return "refused"
    if a.FRAME_GROUPS not in header:
        return "none"
    frames = int(header.number(a.FRAMES) or 1)
    try:
        ours = _walked(header, frames)
    except Doubt:
        return "doubted"
    try:
        theirs = _asked(header)
    except SeriesError:
        return "pydicom fails"
    if len(ours[1]) <= frames:
        assert meaning(ours[0]) == meaning(theirs[0]), path.name
        assert [meaning(each) for each in ours[1]] == [meaning(each) for each in theirs[1]], path.name
    return "equal"


@pytest.mark.parametrize("name", SOURCES)
def test_corpus(name: str) -> None:
    found = {path.name: compare(path) for path in files(name)}
    doubted = {path for path, outcome in found.items() if outcome not in ("refused", "none", "equal")}
    assert doubted <= {"liver_expb.dcm", "liver_expb_1frame.dcm"}, "big endian is left to pydicom, and nothing else"
    assert "equal" in found.values() or name != "pydicom"


def odd(path: Path, seed: int, implicit: bool = False) -> Path:
    """An enhanced image with more in its groups than is wanted: private and nested items, of every kind of length."""
    choose = random.Random(seed)
    ds = dcmread(enhanced(path, [2.5 * index for index in range(12)], [10.0 + index % 3 for index in range(12)]))
    for index, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSequence[0].ImagePositionPatient = [choose.choice((-100, 5.25, 1e-3)), 2, index * 2.5]
        content = item(
            StackID=choose.choice(("1", "12", " a ")), TemporalPositionIndex=index, FrameComments="x" * index
        )
        content.FrameAcquisitionNumber = index if choose.random() < 0.5 else None
        content.DimensionIndexValues = [1, index]
        group.FrameContentSequence = Items([content])
        nested = item(DiffusionGradientOrientation=[0.0, 1.0, index / 7])
        diffusion = item(DiffusionBValue=100.0 * index, DiffusionGradientDirectionSequence=Items([nested]))
        group.MRDiffusionSequence = Items([diffusion] * choose.choice((0, 1, 1, 1, 2)))
        private = group.private_block(0x0021, "MAKER", create=True)
        private.add_new(1, "SQ", Items([item(PatientComments="y" * choose.randrange(9))] * choose.randrange(3)))
        private.add_new(2, "LO", "z" * choose.randrange(5))
        for sequence in (group["FrameContentSequence"], group["MRDiffusionSequence"], group[0x0021, 0x1001]):
            sequence.is_undefined_length = choose.random() < 0.3
            for each in sequence.value:
                each.is_undefined_length_sequence_item = choose.random() < 0.3
        group.is_undefined_length_sequence_item = choose.random() < 0.3
    ds["PerFrameFunctionalGroupsSequence"].is_undefined_length = choose.random() < 0.5
    return write(ds, path, a.IMPLICIT if implicit else a.EXPLICIT)


@pytest.mark.parametrize("seed", range(12))
def test_odd_items(tmp_path: Path, seed: int) -> None:
    assert compare(odd(tmp_path / "a.dcm", seed, implicit=seed % 3 == 2)) == "equal"


@pytest.mark.parametrize(
    ("sequence", "keyword", "value"),
    [
        ("PixelValueTransformationSequence", "RescaleType", "\u00b5Gy"),
        ("FrameVOILUTSequence", "WindowCenter", "40\\"),
        ("FrameContentSequence", "StackID", "\x1b$B"),
    ],
)
def test_what_is_unusual_is_left_to_pydicom(tmp_path: Path, sequence: str, keyword: str, value: str) -> None:
    ds: Any = dcmread(enhanced(tmp_path / "a.dcm", [0, 2]))
    group = ds.PerFrameFunctionalGroupsSequence[1]
    if sequence not in group:
        setattr(group, sequence, Items([Dataset()]))
    inner = group[sequence].value[0]
    inner.add_new(keyword, "LO", value)
    assert compare(write(ds, tmp_path / "b.dcm")) == "doubted"


def test_damage_is_seen(tmp_path: Path) -> None:
    """Bytes of the groups changed: pydicom's values, or pydicom is asked."""
    seeds = []
    for seed in range(4):
        ds = dcmread(odd(tmp_path / "a.dcm", seed, implicit=seed == 2))
        out = BytesIO()
        dcmwrite(out, ds)
        seeds.append((out.getvalue(), out.getvalue().index(b"\x00\x52\x29\x92")))
    choose, counts = random.Random(77), dict.fromkeys(("equal", "doubted", "refused", "pydicom fails", "none"), 0)
    path = tmp_path / "damaged.dcm"
    for _ in range(600):
        whole, first = choose.choice(seeds)
        data = bytearray(whole)
        for _ in range(choose.choice((1, 1, 3))):
            at = choose.randrange(first, len(data) - 800)
            if choose.random() < 0.5:
                data[at] ^= 1 << choose.randrange(8)
            else:
                data[at : at + 2] = choose.randrange(64).to_bytes(2, "little")
        path.write_bytes(data)
        counts[compare(path)] += 1
    assert counts["equal"] > 50 and counts["doubted"] > 20, counts
    assert not counts["pydicom fails"], counts


def test_pydicom_is_not_asked_about_usual_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(header: Header) -> None:
        raise AssertionError

    monkeypatch.setattr(functional, "_asked", never)
    header = read_header(enhanced(tmp_path / "a.dcm", [8, 0, 4]))
    assert [each.number(a.SLOPE) for each in functional.frame_headers(header, 3)] == [1, 2, 3]

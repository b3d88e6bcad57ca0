"""A scan remembers the headers of the files before: whatever it remembers, a file is read as if it were the first."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom import scan
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.layout import _SAYS, _read
from napari_medadv.dicom.template import MOST, Templates
from napari_medadv.errors import SeriesError
from tests.dicom.making import dataset

Read = tuple[object, ...] | str


def made(index: int, seed: int, syntax: str = a.EXPLICIT) -> bytes:
    """A CT with private elements and a sequence whose values differ in number and length from file to file."""
    choose = random.Random(seed)
    ds = dataset("CT", index, SeriesDescription="x" * (seed % 5))
    block = ds.private_block(0x0009, "MAKER", create=True)
    for element in range(40):
        if choose.random() < 0.9:
            block.add_new(element, "LO", "y" * (choose.randrange(3) if seed % 2 else 4))
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = UID("1.2.3"), UID(f"1.2.3.{10 ** choose.randrange(5)}")
    item.is_undefined_length_sequence_item = bool(seed % 3)
    ds.ReferencedImageSequence = Items([item] * choose.randrange(3))
    ds["ReferencedImageSequence"].is_undefined_length = bool(seed % 2)
    block.add_new(0x50, "OB", choose.randbytes(2 * choose.randrange(30)))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def read(path: Path, templates: Templates | None = None) -> Read:
    """All that is read of a file, or the sentence that refuses it."""
    try:
        header = read_header(path, templates)
    except SeriesError as refusal:
        return str(refusal)
    return header.syntax, header.raw, header.pixels, header.size, header.little


def matched(path: Path, templates: Templates) -> bool:
    return templates.match(path.read_bytes()) is not None


@pytest.mark.parametrize("syntax", [a.EXPLICIT, a.IMPLICIT, a.BIG_ENDIAN])
def test_memory_changes_nothing(tmp_path: Path, syntax: str) -> None:
    paths = []
    for index, seed in enumerate([2, 2, 2, 4, 4, 1, 3, 5, 7, 2, 9, 2, 2, 6, 1, 1]):
        paths.append(tmp_path / f"{index}.dcm")
        paths[-1].write_bytes(made(index, seed, syntax))
    fresh = {path: read(path) for path in paths}
    templates, hits = Templates(), 0
    for path in random.Random(0).choices(paths, k=300):
        hits += matched(path, templates)
        assert read(path, templates) == fresh[path]
    assert hits > 200 if syntax != a.BIG_ENDIAN else not hits


def test_a_series_is_walked_a_few_times_only(tmp_path: Path) -> None:
    templates, hits = Templates(), 0
    for index in range(60):
        path = tmp_path / f"{index}.dcm"
        path.write_bytes(made(index, 2))
        hits += matched(path, templates)
        read(path, templates)
    assert hits >= 50


def test_damage_is_seen(tmp_path: Path) -> None:
    """Bytes changed, cut, put in and left out: read with a memory as without one."""
    seeds = [made(index, seed) for index, seed in enumerate([2, 2, 2, 1, 1, 3])]
    choose, templates, path = random.Random(5), Templates(), tmp_path / "damaged.dcm"
    kinds = {"matched": 0, "read": 0, "refused": 0}
    for _ in range(4000):
        data = bytearray(choose.choice(seeds))
        for _ in range(choose.choice((0, 1, 1, 2, 5))):
            at = choose.randrange(128, min(len(data), choose.choice((400, 1600, 1 << 30))))
            match choose.randrange(6):
                case 0:
                    data[at] ^= 1 << choose.randrange(8)
                case 1:
                    data[at : at + 4] = choose.choice((b"\xff" * 4, bytes(4), b"\xf0\xff\xff\xff", b"\xfe\xff\0\xe0"))
                case 2:
                    del data[at : at + choose.randrange(1, 40)]
                case 3:
                    data[at:at] = choose.randbytes(choose.randrange(1, 9))
                case 4:
                    data[at : at + 2] = choose.randrange(300).to_bytes(2, "little")
                case _:
                    del data[at + choose.randrange(1, 2000) :]
        path.write_bytes(data)
        kinds["matched"] += matched(path, templates)
        expected = read(path)
        kinds["refused" if isinstance(expected, str) else "read"] += 1
        assert read(path, templates) == expected
    assert min(kinds.values()) > 100, kinds


def test_no_more_than_a_few_are_remembered(tmp_path: Path) -> None:
    templates = Templates()
    for seed in range(3 * MOST):
        path = tmp_path / f"{seed}.dcm"
        path.write_bytes(made(seed, seed))
        read(path, templates)
    assert len(templates._known) == MOST


class Listening(dict[int, bytes]):
    """The attributes of a file, and which of them were asked for."""

    asked: set[int]

    def get(self, tag: int, default: object = None) -> object:  # type: ignore[override]
        self.asked.add(tag)
        return super().get(tag, default)


def test_files_that_say_the_same_share_a_layout(tmp_path: Path) -> None:
    """The layout is remembered by the attributes that tell it: it must read no other."""
    path = tmp_path / "a.dcm"
    path.write_bytes(made(0, 2))
    header = scan(path)[0].instances[0].header
    raw = Listening(header.raw)
    raw.asked = set()
    _read(Header(header.file, header.syntax, raw, header.pixels, header.size))
    assert raw.asked and raw.asked <= set(_SAYS)

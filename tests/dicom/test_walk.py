"""The walk remembers stretches of elements: whatever it remembers, a file is read as if it were the first."""

from __future__ import annotations

import random
from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from napari_medadv.dicom import walk
from napari_medadv.dicom.runs import Runs
from tests.dicom.making import dataset


def file(index: int, seed: int) -> bytes:
    """A CT with a private block whose values differ in number and length from file to file."""
    ds = dataset("CT", index, SeriesDescription="x" * (seed % 5))
    block = ds.private_block(0x0009, "MAKER", create=True)
    choose = random.Random(seed)
    for element in range(40):
        if choose.random() < 0.9:
            block.add_new(element, "LO", "y" * (choose.randrange(3) if seed % 2 else 4))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def test_memory_changes_nothing() -> None:
    files = [file(index, seed) for index, seed in enumerate([2, 2, 2, 4, 4, 1, 3, 5, 7, 2, 9, 2, 2])]
    start = [132 + 12 + int.from_bytes(data[140:144], "little") for data in files]

    def read(at: int) -> tuple[object, object]:
        return walk.walk(files[at], start[at], len(files[at]), explicit=True, little=True)

    fresh = []
    for at in range(len(files)):
        walk._RUNS = Runs()
        fresh.append(read(at))
    walk._RUNS = Runs()
    order = [random.Random(0).randrange(len(files)) for _ in range(200)]
    assert all(read(at) == fresh[at] for at in order)
    assert any(walk._RUNS.known.values())

"""Every file of pydicom's test files, pydicom-data and deid-data: pydicom's values, or a sentence; a table of counts."""

from __future__ import annotations

import importlib.util
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom import decode, scan
from napari_medadv.dicom.colour import Palette
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.template import Templates
from napari_medadv.errors import MedAdvError

SOURCES = {"pydicom": "data/test_files", "data_store": "", "deid_data": ""}
LOSSY = 5
"""Two JPEG decoders may differ by this many levels (inverse transform and chroma upsampling are free to round)."""


def files(name: str) -> list[Path]:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        pytest.skip(f"the package {name} is not installed")
    root = Path(found.origin).parent / SOURCES[name]
    return sorted(
        path for path in root.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".zip", ".json")
    )


def values(path: Path) -> np.ndarray | None:
    """Pydicom's own stored values, (frame, y, x) or (frame, y, x, channel), or None where it has none."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        pixels = dataset.pixel_array
    except Exception:
        return None
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    shape = (dataset.Rows, dataset.Columns, *([3] if dataset.SamplesPerPixel == 3 else []))
    return pixels.reshape(frames, *shape)


@pytest.mark.parametrize("name", SOURCES)
def test_values_are_pydicoms(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    wrong = []
    for path in files(name):
        if path.name.upper().startswith("DICOMDIR"):
            continue
        try:
            series = scan(path)
            volume = decode(series[0], allow=["gap", "uneven", "drift", "mosaic"])
        except MedAdvError as refusal:
            counts["refused"] += 1
            text = str(refusal)
            assert text.endswith(".") and "/" not in text.replace(path.name, ""), text
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = values(path)
        if expected is None:
            counts["ours alone"] += 1
            continue
        expected = expected[[each.frame for each in series[0].slices]]
        header, layout = series[0].instances[0].header, series[0].instances[0].layout
        if layout is not None and layout.palette:
            expected = np.stack([Palette(header)(frame) for frame in expected])
        off = 0 if volume.voxels.shape == expected.shape else 10**6
        if not off:
            off = int(np.abs(volume.voxels.astype(np.int64) - expected).max())
        lossy = header.syntax in (a.JPEG_BASELINE, a.JPEG_EXTENDED)
        counts[
            "equal" if not off else f"within {LOSSY} levels (lossy JPEG)" if lossy and off <= LOSSY else "WRONG"
        ] += 1
        if off > (LOSSY if lossy else 0):
            wrong.append((path.name, off))
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)}")
    assert not wrong and counts["equal"] > 3


@pytest.mark.parametrize("name", SOURCES)
def test_the_walker_agrees_with_pydicom(name: str) -> None:
    seen = 0
    for path in files(name):
        try:
            header = read_header(path)
        except MedAdvError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            for tag in a.WANTED:
                assert (tag in header) == (tag in dataset), (path.name, hex(tag))
                if tag in header and tag not in a.SEQUENCES:
                    seen += _compare(header, dataset, tag, path.name)
    assert seen > 200


@pytest.mark.parametrize("name", SOURCES)
def test_a_memory_of_other_files_changes_nothing(name: str) -> None:
    """Read among all the others, again and again, every file says what it says alone."""
    templates, matched = Templates(), 0
    for path in [path for path in files(name) for _ in range(3)]:
        try:
            alone = read_header(path)
        except MedAdvError:
            continue
        matched += templates.match(path.read_bytes()) is not None
        among = read_header(path, templates)
        assert (among.syntax, among.raw, among.pixels, among.size) == (
            alone.syntax,
            alone.raw,
            alone.pixels,
            alone.size,
        ), path.name
    assert matched > 10


def _compare(header: Header, dataset: pydicom.Dataset, tag: int, name: str) -> int:
    try:
        element = dataset[tag]
    except Exception:
        return 0
    values = list(element.value) if element.VM > 1 else [element.value]
    if element.value is None or element.value == "":
        assert not header.text(tag)
    elif element.VR in ("DS", "IS"):
        try:
            expected = [float(value) for value in values]
        except ValueError:
            expected = []
        assert list(header.numbers(tag)) == expected, (name, element)
    elif element.VR in ("US", "SS"):
        assert header.short(tag, signed=element.VR == "SS") == values[0], (name, element)
    elif element.VR == "FD":
        assert list(header.doubles(tag)) == values, (name, element)
    elif element.VR in ("CS", "UI", "TM"):
        assert list(header.texts(tag)) == [str(value).strip() for value in values], (name, element)
    else:
        return 0
    return 1

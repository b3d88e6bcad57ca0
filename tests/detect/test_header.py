"""Header forensics on real headers of the pydicom wheel: what is as its scanner wrote it, and what contradicts itself."""

from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from napari_medadv.detect.header import contradictions
from napari_medadv.dicom import scan
from tests.dicom import making

EXTREMES = "smallest or largest pixel value"


def copied(name: str, folder: Path, **changed: object) -> tuple[str, ...]:
    """What the headers of a real file hold against it, after some changes."""
    source = get_testdata_file(name, download=False)
    assert isinstance(source, str)
    dataset = pydicom.dcmread(source)
    for keyword, value in changed.items():
        if keyword == "pixels":
            assert isinstance(value, np.ndarray)
            dataset.PixelData = value.tobytes()
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(folder / "one.dcm")
    return contradictions(scan(folder / "one.dcm")[0])


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "693_J2KR.dcm"])
def test_extremes_of_untouched_files_are_right(name: str, tmp_path: Path) -> None:
    assert not [sentence for sentence in copied(name, tmp_path) if EXTREMES in sentence]


def test_one_voxel_beyond_the_largest_value_is_named(tmp_path: Path) -> None:
    source = get_testdata_file("MR_small.dcm", download=False)
    assert isinstance(source, str)
    pixels = pydicom.dcmread(source).pixel_array.copy()
    least, most = int(pixels.min()), int(pixels.max())
    said = {"SmallestImagePixelValue": least, "LargestImagePixelValue": most}
    assert not [s for s in copied("MR_small.dcm", tmp_path, **said) if EXTREMES in s]
    pixels[10, 10] = most + 1
    assert [s for s in copied("MR_small.dcm", tmp_path, pixels=pixels, **said) if EXTREMES in s]


def test_an_original_that_names_a_derivation_is_named(tmp_path: Path) -> None:
    before = copied("CT_small.dcm", tmp_path)
    after = copied("CT_small.dcm", tmp_path, DerivationDescription="smoothed")
    assert [s for s in set(after) - set(before) if "derivation" in s]


def test_our_own_mark_is_recognised(tmp_path: Path) -> None:
    found = copied("CT_small.dcm", tmp_path, SyntheticData="YES")
    assert [s for s in found if "marked as synthetic" in s]


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    source = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(source, str)
    dataset = pydicom.dcmread(source)
    bare = pydicom.Dataset()
    bare.update({element.tag: element for element in dataset})
    bare.save_as(tmp_path / "one.dcm", implicit_vr=False, little_endian=True, enforce_file_format=False)
    assert not [s for s in contradictions(scan(tmp_path / "one.dcm")[0]) if "UID" in s]


@pytest.mark.parametrize("root", ["2.25.", "1.2.3."])
def test_instances_of_one_maker_have_one_root(root: str, tmp_path: Path) -> None:
    """A UUID in a UID (PS3.5 B.2) differs from its first digit on, and a short UID within fourteen characters."""
    for index in range(12):
        made = making.dataset("CT", index)
        made.SeriesInstanceUID = "1.2.3.4"
        made.SOPInstanceUID = root + str(uuid5(NAMESPACE_OID, str(index)).int if root == "2.25." else index)
        making.write(made, tmp_path / f"{index}.dcm")
    assert not [s for s in contradictions(scan(tmp_path)[0]) if "roots" in s]
    made.SOPInstanceUID = "1.3.12.2.1107.5.1"
    making.write(made, tmp_path / "11.dcm")
    assert [s for s in contradictions(scan(tmp_path)[0]) if "2 different roots" in s]


def test_extremes_that_nobody_filled_in_contradict_nothing(tmp_path: Path) -> None:
    found = copied("MR_small.dcm", tmp_path, SmallestImagePixelValue=0, LargestImagePixelValue=0)
    assert not [s for s in found if EXTREMES in s]

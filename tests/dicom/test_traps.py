"""The traps, beside what SimpleITK and highdicom make of them: ours are the right volumes or a sentence; theirs are pinned."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK

from napari_medadv.dicom import decode, scan
from napari_medadv.errors import SeriesError
from tests.dicom.trap import Trap, Truth
from tests.dicom.traps import TRAPS

Reader = Callable[[Path], list[Truth]]


def ours(path: Path) -> list[Truth]:
    """Every volume that is found; raises where one is refused."""
    found = []
    for series in scan(path):
        volume = decode(series)
        values = volume.values() if volume.scale.table is None else volume.scale.table(volume.voxels)
        found.append(Truth(values, volume.affine if volume.placed else None))
    return found


def itk(path: Path) -> list[Truth]:
    """What SimpleITK reads: a file by itself, or a volume for each series that its own scan tells apart."""
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # type: ignore[no-untyped-call]
    files = list(path.iterdir())
    if len(files) == 1:
        image = SimpleITK.ReadImage(str(files[0]))
        return [Truth(SimpleITK.GetArrayFromImage(image), _from_itk(image))]
    found = []
    names: Any = SimpleITK.ImageSeriesReader
    for uid in names.GetGDCMSeriesIDs(str(path)):
        reader: Any = SimpleITK.ImageSeriesReader()  # type: ignore[no-untyped-call]
        reader.SetFileNames(names.GetGDCMSeriesFileNames(str(path), uid))
        image = reader.Execute()
        values = SimpleITK.GetArrayFromImage(image)
        found.append(Truth(values, _from_itk(image)))
    if not found:
        raise RuntimeError("no series")
    return found


def _from_itk(image: Any) -> Any:
    affine = np.eye(4)
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, :3], affine[:3, 3] = axes[:, ::-1], image.GetOrigin()
    return affine


def highdicom(path: Path) -> list[Truth]:
    """What highdicom reads by default: one volume of a series or of a multi-frame file, or the frames of one without a place."""
    hd = pytest.importorskip("highdicom")
    datasets = [pydicom.dcmread(each) for each in sorted(path.iterdir())]
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        if len(datasets) == 1:
            image = hd.imread(next(path.iterdir()))
            if "FrameOfReferenceUID" not in image or image.Modality in ("CR", "XC"):
                return [Truth(image.get_frames(), None)]
            volume = image.get_volume()
        else:
            volume = hd.get_volume_from_series(datasets)
    return [Truth(volume.array, volume.affine)]


def verdict(read: Reader, path: Path, expected: tuple[Truth, ...] | str) -> tuple[str, str]:
    """What a reader makes of a trap ("right", "wrong" or "refuses"), and in which way."""
    try:
        found = read(path)
    except Exception as refusal:
        return "refuses", str(refusal)
    if isinstance(expected, str):
        return "wrong", _words(found)
    if len(found) != len(expected):
        return "wrong", f"{len(found)} for {len(expected)} volumes: {_words(found)}"
    for truth in expected:
        faults = [_fault(each, truth) for each in found]
        if "" not in faults:
            return "wrong", faults[0]
    return "right", ""


def _words(found: list[Truth]) -> str:
    shapes = "; ".join(
        f"{len(each.values)} slices"
        + ("" if each.affine is None else f", z {np.linalg.norm(each.affine[:3, 0]):.2f} mm")
        for each in found
    )
    return f"gives {shapes}"


def _fault(found: Truth, truth: Truth) -> str:
    """What is wrong about a volume, or "": it may lie in memory the other way round, but each voxel at its place."""
    if sorted(found.values.shape[:3]) != sorted(truth.values.shape[:3]):
        return f"{found.values.shape[:3]} for {truth.values.shape[:3]} voxels"
    index = np.indices(truth.values.shape[:3]).reshape(3, -1)
    if truth.affine is not None:
        if found.affine is None:
            return "no place"
        places = truth.affine @ np.vstack([index, np.ones(index.shape[1])])
        exact = (np.linalg.inv(found.affine) @ places)[:3]
        off = np.abs(found.affine[:3, :3] @ (exact - np.rint(exact))).max()
        index_found = np.rint(exact).astype(int)
        if off > 0.01 or (index_found < 0).any() or (index_found.max(axis=1) >= found.values.shape[:3]).any():
            return f"voxels at a wrong place (z {np.linalg.norm(found.affine[:3, 0]):.2f} mm)"
    else:
        index_found = index
    if found.values.shape[:3] != truth.values.shape[:3] and truth.affine is None:
        return f"{found.values.shape[:3]} for {truth.values.shape[:3]} voxels"
    off = np.abs(found.values[tuple(index_found)].astype(float) - truth.values[tuple(index)]).max()
    tolerance = 1.0 if truth.values.ndim == 4 else 1e-6 * max(1.0, float(np.abs(truth.values).max()))
    return f"values off by up to {off:.4g}" if off > tolerance else ""


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_ours_is_right_or_a_sentence(trap: Trap, tmp_path: Path) -> None:
    expected = trap.make(tmp_path / "in")
    if isinstance(expected, str):
        with pytest.raises(SeriesError, match=expected):
            ours(tmp_path / "in")
    else:
        assert verdict(ours, tmp_path / "in", expected) == ("right", "")


def test_what_others_make_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, pinned = [], {}
    for number, trap in enumerate(TRAPS):
        path = tmp_path / str(number)
        expected = trap.make(path)
        truth = (
            "refused" if isinstance(expected, str) else f"{len(expected)} volumes" if len(expected) > 1 else "volume"
        )
        theirs = [verdict(read, path, expected) for read in (itk, highdicom)]
        told = [kind if kind != "wrong" else f"wrong: {words}" for kind, words in theirs]
        rows.append(f"{trap.name:36} {truth:10} {told[0]:62} {told[1]}")
        pinned[trap.name] = (theirs[0][0], theirs[1][0])
    counts = [sum(found[peer] == "wrong" for found in pinned.values()) for peer in (0, 1)]
    with capsys.disabled():
        print(f"\n{'trap':36} {'ours':10} {f'SimpleITK {SimpleITK.Version_VersionString()}':62} highdicom")  # type: ignore[no-untyped-call]
        print("\n".join(rows))
        print(f"of {len(TRAPS)} silently wrong: SimpleITK {counts[0]}, highdicom {counts[1]}")
    assert pinned == {trap.name: (trap.itk, trap.highdicom) for trap in TRAPS}

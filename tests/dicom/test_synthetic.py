"""A synthetic CT series is read back as the voxels it was made from, and passes the validator."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from napari_medadv.dicom.synthetic import write_series
from napari_medadv.errors import OutputError

VOXELS = np.random.default_rng(0).integers(-1024, 3072, (3, 8, 10)).astype(np.int16)


def test_it_is_read_back_exactly(tmp_path: Path) -> None:
    files = write_series(tmp_path / "series", VOXELS, (4.0, 1.5, 1.25), key="test")
    (series,) = scan(tmp_path / "series")
    volume = decode(series)
    assert np.array_equal(volume.values(), VOXELS)
    assert volume.scale.unit == "HU" and volume.spacing == (4.0, 1.5, 1.25) and len(files) == 3


def test_the_same_key_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = (write_series(tmp_path / name, VOXELS, (4, 1, 1), key="test") for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_the_validator_finds_no_error(tmp_path: Path) -> None:
    (path, *_) = write_series(tmp_path / "series", VOXELS, (4, 1, 1), key="test")
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert said and not [line for line in said.splitlines() if line.startswith("Error")]


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(OutputError, match="not empty"):
        write_series(tmp_path, VOXELS, (4, 1, 1), key="test")
    assert (tmp_path / "mine.txt").read_text() == "keep me"

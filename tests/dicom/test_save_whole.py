"""A derived series is whole or absent, and never over a source."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.derivation import Derivation
from napari_medadv.dicom.save import save
from napari_medadv.dicom.series import scan
from napari_medadv.errors import Cancelled, OutputError
from tests.dicom.saving import PGD

Folder = Callable[..., Path]


def test_output_is_refused_in_and_over_the_source(folder: Folder, tmp_path: Path) -> None:
    source = folder(2)
    series = scan(source)[0]
    volume = decode(series)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    (tmp_path / "empty").mkdir()
    for out, words in (
        (source, "source"),
        (source / "out", "source"),
        (tmp_path, "source"),
        (series.instances[0].path, "source"),
        (tmp_path / "full", "exists already"),
        (tmp_path / "full" / "x", "exists already"),
    ):
        with pytest.raises(OutputError, match=words):
            save(volume, series, PGD, out)
    assert save(volume, series, PGD, tmp_path / "empty")
    with pytest.raises(OutputError, match="did not come from this series"):
        save(replace(volume, series_uid="1.2"), series, PGD, tmp_path / "other")


def test_a_file_may_be_saved_beside_itself_but_not_over(folder: Folder) -> None:
    file = next(folder(1).iterdir())
    series = scan(file)[0]
    assert save(decode(series), series, PGD, file.parent / "out")


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), Cancelled("Saving"), KeyboardInterrupt()])
def test_nothing_half_written_is_left(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    series = scan(folder(3))[0]
    real, calls = pydicom.dcmwrite, []

    def full(path: Path, ds: Any, **settings: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise fault
        real(path, ds, **settings)

    monkeypatch.setattr(sys.modules[save.__module__], "dcmwrite", full)
    with pytest.raises(OutputError if isinstance(fault, OSError) else type(fault)):
        save(decode(series), series, PGD, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_unfinished_output_is_not_read(folder: Folder, tmp_path: Path) -> None:
    shutil.copytree(folder(1), tmp_path / "source" / ".out.abc.partial")
    assert scan(tmp_path / "source")[0].frames == 1


def test_a_killed_process_leaves_nothing_that_looks_whole(folder: Folder, tmp_path: Path) -> None:
    source = folder(4)
    code = (
        "import os; from pathlib import Path; from napari_medadv.dicom import *\n"
        f"series = scan(Path({str(source)!r}))[0]\n"
        "def die(share, words):\n    os._exit(9) if share >= 0.5 else None\n"
        f"save(decode(series), series, Derivation('x'), Path({str(tmp_path / 'out')!r}), progress=die)\n"
    )
    slow = "import napari_medadv.progress as p, time; p.time.monotonic = iter(range(10**6)).__next__\n"
    assert subprocess.run([sys.executable, "-c", slow + code], check=False).returncode == 9
    assert not (tmp_path / "out").exists()
    left = [path for path in tmp_path.iterdir() if path.name != "source"]
    assert len(left) == 1 and left[0].name.startswith(".out.") and left[0].name.endswith(".partial")
    assert len(scan(tmp_path)) == 1


def test_a_derivation_must_fit() -> None:
    with pytest.raises(ValueError, match="1024"):
        Derivation("x" * 1025)
    with pytest.raises(ValueError, match="backslash"):
        Derivation("a\\b")

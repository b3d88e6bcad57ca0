"""python-gdcm is never imported in process: it aborts the interpreter on some files, and pydicom would import it by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.compress import compress
from tests.dicom.test_derived import COLOURS, SMOOTH, packed

ROOT = Path(__file__).parents[2]
OUTSIDE = sorted(
    str(path.relative_to(ROOT).with_suffix("")).replace(os.sep, ".")
    for path in (ROOT / "napari_medadv").rglob("*.py")
    if "pydicom" in path.read_text() and path.parent != ROOT / "napari_medadv" / "dicom"
)
"""Modules elsewhere that speak of pydicom: each could be the first to import it."""


@pytest.fixture
def baited(tmp_path: Path) -> dict[str, str]:
    """An environment in which python-gdcm is installed and leaves the interpreter, as it would on a file that it dislikes."""
    (tmp_path / "bait").mkdir()
    (tmp_path / "bait" / "gdcm.py").write_text("import os\nos.write(2, b'gdcm was imported')\nos._exit(134)\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "bait"), str(ROOT)])}


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_the_bait_is_taken_by_pydicom_alone(baited: dict[str, str]) -> None:
    assert run("import pydicom", baited).returncode == 134


@pytest.mark.parametrize("module", ["napari_medadv.dicom", *OUTSIDE])
def test_no_module_takes_it(module: str, baited: dict[str, str]) -> None:
    done = run(f"import {module}, sys; assert 'gdcm' not in sys.modules", baited)
    assert done.returncode == 0, done.stderr


def test_compressed_and_colour_series_are_read_and_written_without_it(tmp_path: Path, baited: dict[str, str]) -> None:
    for index, syntax in enumerate((a.RLE, a.JPEG_LS, a.JPEG2000_LOSSLESS, a.JPEG_LOSSLESS_SV1)):
        packed("CT", [compress(syntax, SMOOTH)], SMOOTH, syntax)(tmp_path / "in" / f"grey{index}")
    packed("XC", [compress(a.RLE, COLOURS)], COLOURS, a.RLE, PhotometricInterpretation="YBR_FULL")(
        tmp_path / "in" / "c"
    )
    code = f"""
import sys
from pathlib import Path
from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.dicom.objects import Verdict, report
for number, folder in enumerate(sorted(Path({str(tmp_path / "in")!r}).iterdir())):
    (series,) = scan(folder)
    save(decode(series), series, Derivation("x"), Path({str(tmp_path / "out")!r}) / str(number), syntax="source")
    report([Verdict("a", 0.9, 0.1)], series, Derivation("x"))
assert "gdcm" not in sys.modules
print(number + 1)
"""
    done = run(code, baited)
    assert (done.returncode, done.stdout.strip()) == (0, "5"), done.stderr


def test_others_may_still_import_it(baited: dict[str, str]) -> None:
    assert run("import napari_medadv.dicom, gdcm", baited).returncode == 134

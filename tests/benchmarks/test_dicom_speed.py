"""How fast a series is read, beside SimpleITK, pydicom and the floor, in one run on the same files: ratios are printed.

Run with ``pytest -m benchmark tests/benchmarks/test_dicom_speed.py``. The bars asserted here are half of what an idle machine
shows, since other work on the machine is paid by whoever runs at that moment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK

from napari_medadv.dicom import decode, scan
from tests.benchmarks.making import ENCODERS, multiframe, series

pytestmark = pytest.mark.benchmark
COUNT = int(os.environ.get("MEDADV_BENCHMARK_SLICES", "300"))
BARS = {"uncompressed": 12.0, "JPEG-LS": 3.0, "JPEG lossless": 3.0, "HTJ2K": 3.0, "RLE": 15.0, "JPEG 2000": 1.15}
"""How many times faster than SimpleITK each transfer syntax is to be."""


def best(work: Callable[[], Any], times: int = 3) -> tuple[float, float]:
    """Least wall and CPU time of some repetitions, in seconds."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def ours(path: Path) -> np.ndarray:
    return decode(scan(path)[0]).voxels


def itk(path: Path) -> np.ndarray:
    reader: Any = SimpleITK.ImageSeriesReader()  # type: ignore[no-untyped-call]
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path))  # type: ignore[no-untyped-call]
    reader.SetFileNames(names)
    return SimpleITK.GetArrayFromImage(reader.Execute())


def naive(path: Path) -> np.ndarray:
    datasets = sorted(map(pydicom.dcmread, path.iterdir()), key=lambda each: float(each.ImagePositionPatient[2]))
    return np.stack([each.pixel_array for each in datasets])


def ordered(path: Path) -> np.ndarray:
    """The frames of one file in the order of their places."""
    found = pydicom.dcmread(path)
    places = [each.PlanePositionSequence[0].ImagePositionPatient[2] for each in found.PerFrameFunctionalGroupsSequence]
    return found.pixel_array[np.argsort(places)]


def floor(path: Path) -> Callable[[], np.ndarray]:
    """Nothing but the bytes: every file's pixels read into a new volume, offsets known beforehand."""
    found = scan(path)[0]
    places = [(each.path, each.header.pixels.offset) for each in found.instances if each.header.pixels]

    def read() -> np.ndarray:
        voxels = np.empty((len(places), 512, 512), np.int16)
        for out, (name, offset) in zip(voxels, places, strict=True):
            with FileIO(name) as file:
                file.seek(offset)
                file.readinto(out.data)
        return voxels

    return read


@pytest.mark.parametrize("syntax", ENCODERS)
def test_a_series(syntax: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = series(tmp_path / "series", COUNT if syntax == "uncompressed" else COUNT // 3, syntax)
    voxels = ours(path)
    hounsfield = voxels.astype(np.int32) + decode(scan(path)[0]).scale.intercept.astype(np.int32)[0]
    assert (hounsfield == itk(path)).all() and (naive(path) == voxels).all()
    wall, cpu = best(lambda: ours(path))
    lines = [f"{syntax}, {len(voxels)} slices: {wall:.3f} s wall, {cpu:.3f} s CPU"]
    ratios = {}
    for name, peer in (("SimpleITK", itk), ("naive pydicom", naive)):
        peer_wall, peer_cpu = best(lambda peer=peer: peer(path), 2)  # type: ignore[misc]
        ratios[name] = max(peer_wall / wall, peer_cpu / cpu)
        lines.append(f"  {name}: {peer_wall / wall:.1f}x the wall time, {peer_cpu / cpu:.1f}x the CPU time")
    if syntax == "uncompressed":
        floor_wall, floor_cpu = best(floor(path))
        lines.append(
            f"  the floor: 1/{wall / floor_wall:.2f} of the wall time, 1/{cpu / floor_cpu:.2f} of the CPU time"
        )
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert ratios["SimpleITK"] >= BARS[syntax] / 2


def test_header_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = series(tmp_path / "series", COUNT)
    wall, cpu = best(lambda: scan(path))
    itk_wall, itk_cpu = best(lambda: SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))  # type: ignore[no-untyped-call]
    py_wall, py_cpu = best(lambda: [pydicom.dcmread(each, stop_before_pixels=True) for each in path.iterdir()])
    with capsys.disabled():
        print(f"\nheaders of {COUNT} files: {wall:.3f} s wall, {cpu:.3f} s CPU")
        print(
            f"  SimpleITK: {itk_wall / wall:.1f}x wall, {itk_cpu / cpu:.1f}x CPU; pydicom: {py_wall / wall:.1f}x, {py_cpu / cpu:.1f}x"
        )
    assert max(itk_cpu / cpu, itk_wall / wall) >= 3.5


def test_multi_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = multiframe(tmp_path / "enhanced.dcm", COUNT)
    assert (ours(path) == pydicom.dcmread(path).pixel_array).all()
    wall, cpu = best(lambda: ours(path))
    py_wall, py_cpu = best(lambda: pydicom.dcmread(path).pixel_array)
    full_wall, full_cpu = best(lambda: ordered(path), 2)
    with capsys.disabled():
        print(f"\none file of {COUNT} frames: {wall:.3f} s wall, {cpu:.3f} s CPU")
        print(f"  pydicom, pixels only: {py_wall / wall:.1f}x the wall time, {py_cpu / cpu:.1f}x the CPU time")
        print(
            f"  pydicom, frames put in order: {full_wall / wall:.1f}x the wall time, {full_cpu / cpu:.1f}x the CPU time"
        )
    assert max(full_wall / wall, full_cpu / cpu) >= 1


def test_peak_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = series(tmp_path / "series", COUNT)
    peak = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) * 1024"
    code = (
        "from pathlib import Path; from napari_medadv.dicom import decode, scan\n"
        f"found = scan(Path({str(path)!r}))[0]; start = {peak}\n"
        f"volume = decode(found); print(({peak} - start) / volume.voxels.nbytes)"
    )
    share = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    with capsys.disabled():
        print(f"\npeak memory of {COUNT} slices: {share:.3f} of the volume")
    assert 0.5 < share <= 1.1

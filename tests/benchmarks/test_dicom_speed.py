"""How fast a series is read, beside SimpleITK, pydicom and the floor, in one run on the same files: ratios are printed.

Run with ``pytest -m benchmark -s tests/benchmarks/test_dicom_speed.py``. Ratios of CPU time are told before those of wall time, since
other work on the machine is paid for by whoever runs at that moment; for the same reason only half of each bar is asserted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
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
COUNTS = [int(count) for count in os.environ.get("MEDADV_BENCHMARK_SLICES", "300,1000").split(",")]
COMPRESSED = [int(count) for count in os.environ.get("MEDADV_BENCHMARK_COMPRESSED", "300,1000").split(",")]
CASES = [("uncompressed", count) for count in COUNTS]
CASES += [(name, count) for count in COMPRESSED for name in list(ENCODERS)[1:]]
BARS = {"uncompressed": 12.0, "JPEG-LS": 3.0, "JPEG lossless": 3.0, "HTJ2K": 3.0, "RLE": 15.0, "JPEG 2000": 1.15}
"""How many times faster than SimpleITK each transfer syntax is to be."""
Times = tuple[float, float]
Make = Callable[[str, int], Path]


def best(work: Callable[[], Any], times: int = 3) -> Times:
    """Least CPU and wall time of some repetitions, in seconds."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(cpus), min(walls)


def row(name: str, peer: Times, mine: Times) -> str:
    return f"  {name}: {peer[0] / mine[0]:.2f}x the CPU time, {peer[1] / mine[1]:.2f}x the wall time"


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
    """Nothing but the bytes: the pixels of every slice read into a new volume, their places known beforehand."""
    found = scan(path)[0]
    frame = 512 * 512 * 2
    places = [(each.path, header.pixels.offset + each_frame * frame)
              for each, header, each_frame in ((s.instance, s.instance.header, s.frame) for s in found.slices)
              if header.pixels]  # fmt: skip

    def read() -> np.ndarray:
        voxels = np.empty((len(places), 512, 512), np.int16)
        for out, (name, offset) in zip(voxels, places, strict=True):
            with FileIO(name) as file:
                file.seek(offset)
                file.readinto(out.data)
        return voxels

    return read


def peak(path: Path) -> float:
    """Most memory that decoding takes in a process of its own, as a share of the volume."""
    most = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) * 1024"
    code = (
        "from pathlib import Path; from napari_medadv.dicom import decode, scan; import imagecodecs\n"
        f"found = scan(Path({str(path)!r}))[0]; start = {most}\n"
        f"volume = decode(found); print(({most} - start) / volume.voxels.nbytes)"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a series once."""
    return cache(lambda syntax, count: series(tmp_path_factory.mktemp("made") / "series", count, syntax))


@pytest.mark.parametrize(("syntax", "count"), CASES)
def test_a_series(syntax: str, count: int, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(syntax, count)
    voxels = ours(path)
    hounsfield = voxels.astype(np.int32) + decode(scan(path)[0]).scale.intercept.astype(np.int32)[0]
    assert (hounsfield == itk(path)).all() and (naive(path) == voxels).all()
    del voxels, hounsfield
    mine = best(lambda: ours(path))
    peers = {"SimpleITK": best(lambda: itk(path), 2), "naive pydicom": best(lambda: naive(path), 2)}
    lines = [f"{syntax}, {count} slices: {mine[0]:.3f} s CPU, {mine[1]:.3f} s wall"]
    lines += [row(name, times, mine) for name, times in peers.items()]
    if syntax == "uncompressed":
        least = best(floor(path))
        lines.append(f"  {mine[0] / least[0]:.2f} times the floor in CPU time, {mine[1] / least[1]:.2f} in wall time")
    share = peak(path)
    lines.append(f"  peak memory: {share:.3f} of the volume")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert max(peers["SimpleITK"][0] / mine[0], peers["SimpleITK"][1] / mine[1]) >= BARS[syntax] / 2
    assert 0.5 < share <= 1.1 or count < 300  # what a decoder works with is no share of a small volume


@pytest.mark.parametrize("count", COUNTS)
def test_header_scan(count: int, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    path = make("uncompressed", count)
    mine = best(lambda: scan(path), 5)
    by_itk = best(lambda: SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))  # type: ignore[no-untyped-call]
    by_pydicom = best(lambda: [pydicom.dcmread(each, stop_before_pixels=True) for each in path.iterdir()], 2)
    with capsys.disabled():
        print(f"\nheaders of {count} files: {mine[0] * 1e3:.1f} ms CPU, {mine[1] * 1e3:.1f} ms wall")
        print(row("SimpleITK", by_itk, mine) + "\n" + row("pydicom", by_pydicom, mine))
    assert max(by_itk[0] / mine[0], by_itk[1] / mine[1]) >= 3.5


@pytest.mark.parametrize("count", COUNTS)
def test_multi_frame(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = multiframe(tmp_path / "enhanced.dcm", count)
    assert (ours(path) == pydicom.dcmread(path).pixel_array).all()
    mine, least = best(lambda: ours(path)), best(floor(path))
    pixels, full = best(lambda: pydicom.dcmread(path).pixel_array), best(lambda: ordered(path), 2)
    with capsys.disabled():
        print(f"\none file of {count} frames: {mine[0]:.3f} s CPU, {mine[1]:.3f} s wall")
        print(row("pydicom, frames put in order", full, mine) + "\n" + row("pydicom, pixels only", pixels, mine))
        print(row("the floor", least, mine))
    assert max(full[0] / mine[0], full[1] / mine[1]) >= 2

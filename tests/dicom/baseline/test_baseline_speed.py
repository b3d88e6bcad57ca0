import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from napari_medadv.dicom.baseline import record
from napari_medadv.dicom.baseline.parallel import MUCH
from napari_medadv.dicom.baseline.pixels import digest, stored
from tests.benchmarks import making
from tests.dicom.baseline.series_files import series


def _best(of: int, work: Callable[[int], object]) -> tuple[float, float]:
    """The least seconds of wall clock and of processor, that of subprocesses included."""
    walls, processor = [], []
    for turn in range(of):
        before, start = os.times(), time.perf_counter()
        work(turn)
        walls.append(time.perf_counter() - start)
        processor.append(sum(now - then for now, then in zip(os.times()[:4], before[:4], strict=True)))
    return min(walls), min(processor)


@pytest.mark.benchmark
def test_hashing_keeps_up_with_sha256sum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is missing: nothing to compare with")
    folder = tmp_path / "series"
    paths = series(folder, slices=300, size=512)
    size = sum(path.stat().st_size for path in paths) / 1e6
    threads = os.cpu_count() or 1
    names = "\n".join(map(str, paths))
    words = ["xargs", "-P", str(threads), "-n", str(-(-len(paths) // threads)), "sha256sum"]

    def decoded(turn: int) -> None:
        for path in paths:
            stored(path)

    def hashed_twice(path: Path) -> None:
        data = path.read_bytes()
        sha256(data).digest()
        sha256(memoryview(data)[-(1 << 19) :]).digest()

    def floor(turn: int) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(hashed_twice, paths))

    measured = {
        "sha256sum": _best(
            5, lambda turn: subprocess.run(words, input=names, text=True, check=True, capture_output=True)
        ),
        "ledger of files": _best(5, lambda turn: record(folder, tmp_path / f"f{turn}", depth="files", threads=threads)),
        "ledger of values": _best(5, lambda turn: record(folder, tmp_path / f"v{turn}", threads=threads)),
        "the same, alone": _best(5, lambda turn: record(folder, tmp_path / f"a{turn}", threads=1)),
        "SHA-256 twice": _best(5, floor),
        "decoding": _best(5, decoded),
    }
    with capsys.disabled():
        print(f"\n{size:.0f} MB; {threads} threads, one for decoding; MB/s of wall clock and of processor time")
        for name, (wall, processor) in measured.items():
            print(f"{name:>16}: {size / wall:6.0f} {size / processor:6.0f}")
    theirs, files, _, alone, twice, _ = (processor for _, processor in measured.values())
    assert files <= theirs / 0.8
    assert alone <= 2.5 * twice, "the file and its values are each hashed once"


@pytest.mark.benchmark
def test_processes_beside_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten links to each file of a series: as much as processes are started for."""
    paths = series(tmp_path / "series" / "0", slices=300, size=512)
    for copy in range(1, 10):
        (tmp_path / "series" / f"{copy}").mkdir()
        for path in paths:
            os.link(path, tmp_path / "series" / f"{copy}" / path.name)
    size = 10 * sum(path.stat().st_size for path in paths)
    assert size > MUCH
    for words, processes, threads in (("one thread", False, 1), ("threads", False, None), ("processes", True, None)):

        def work(turn: int, words: str = words, processes: bool = processes, threads: int | None = threads) -> None:
            record(tmp_path / "series", tmp_path / f"{words} {turn}", threads=threads, processes=processes)

        wall, processor = _best(3, work)
        with capsys.disabled():
            print(f"\n{words:>16}: {size / 1e6 / wall:6.0f} {size / 1e6 / processor:6.0f} MB/s", end="")


def _processor(work: Callable[[Path], object], paths: list[Path]) -> float:
    """Seconds of this process for all files, one after the other."""
    start = time.process_time()
    for path in paths:
        work(path)
    return time.process_time() - start


@pytest.mark.benchmark
def test_hashing_keeps_up_with_decoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One thread, processor time: the stored values decoded, and decoded and hashed, in each transfer syntax."""
    shares = {}
    for name in making.ENCODERS:
        paths = sorted(making.series(tmp_path / name, 40, name).iterdir())
        _processor(stored, paths)  # decoders are loaded, files are in memory
        decoding = min(_processor(stored, paths) for _ in range(5))
        both = min(_processor(lambda path: digest(stored(path), b"salt"), paths) for _ in range(5))
        shares[name] = decoding / both
        with capsys.disabled():
            megabytes = len(paths) * 512 * 512 * 2 / 1e6
            print(
                f"\n{name:>16}: decoding {megabytes / decoding:5.0f} MB/s, decoding and hashing {megabytes / both:5.0f} MB/s: "
                f"{100 * shares[name]:.0f} %",
                end="",
            )
    assert all(shares[name] > 0.5 for name in ("JPEG-LS", "JPEG lossless", "JPEG 2000")), "hashing is the smaller part"

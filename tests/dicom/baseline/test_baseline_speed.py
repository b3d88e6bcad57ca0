import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medadv.dicom.baseline import record
from napari_medadv.dicom.baseline.pixels import stored
from tests.dicom.baseline.series_files import series


def _best(of: int, work: Callable[[int], object]) -> float:
    times = []
    for turn in range(of):
        start = time.perf_counter()
        work(turn)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.benchmark
def test_hashing_keeps_up_with_sha256sum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is missing: nothing to compare with")
    paths = series(tmp_path / "series", slices=300, size=512)
    size = sum(path.stat().st_size for path in paths) / 1e6
    threads = os.cpu_count() or 1
    names = "\n".join(map(str, paths))
    words = ["xargs", "-P", str(threads), "-n", str(-(-len(paths) // threads)), "sha256sum"]
    theirs = _best(3, lambda turn: subprocess.run(words, input=names, text=True, check=True, capture_output=True))
    files = _best(3, lambda turn: record(tmp_path / "series", tmp_path / f"f{turn}", depth="files", threads=threads))
    values = _best(3, lambda turn: record(tmp_path / "series", tmp_path / f"v{turn}", threads=threads))
    decoding = _best(3, lambda turn: [stored(path) for path in paths])
    with capsys.disabled():
        print(
            f"\n{size:.0f} MB on {threads} threads: sha256sum {size / theirs:.0f} MB/s, ledger of files {size / files:.0f} MB/s, "
            f"ledger of values {size / values:.0f} MB/s (decoding alone, one thread, {size / decoding:.0f} MB/s)"
        )
    assert files <= theirs / 0.8

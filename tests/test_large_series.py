"""A series larger than the memory of a process, from loading to replay; the control in memory must fail."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "large_series.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts private mappings on Linux alone")
def test_a_series_larger_than_the_memory_is_attacked_saved_and_replayed(tmp_path: Path) -> None:
    words = ["--gib", "0.65", "--limit-gib", "0.6", "--scratch", str(tmp_path)]
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not fit into memory" in done.stderr and "replay: exit 0" in done.stdout

"""A series larger than the memory that a process may use: loaded, attacked, saved, read back and replayed all the same.

    python tests/benchmarks/large_series.py [--gib 4] [--limit-gib 2] [--scratch FOLDER]

The work is done in a child whose data (heap, stack and private mappings, RLIMIT_DATA) may not grow beyond the limit, so
that a volume in memory cannot succeed: the same child is first told to keep it there, and must fail with a sentence. What
the child reports as anonymous memory is what it asked for itself; mapped files are counted apart, for the system takes
them back when it needs room.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 512
ROOT = Path(__file__).parents[2]


def write_series(folder: Path, count: int) -> None:
    """A CT of a body and noise that no two slices share; every header of its own."""
    sys.path.insert(0, str(ROOT))
    from tests.dicom.making import dataset, write

    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    body = np.where((x / 0.9) ** 2 + (y / 0.7) ** 2 < 1, 1064, 24).astype(np.int16)
    noise = rng.integers(-20, 21, (2 * SIDE, SIDE)).astype(np.int16)
    for index in range(count):
        start = int(rng.integers(SIDE))
        write(dataset("CT", index, voxels=body + noise[start : start + SIDE]), folder / f"{index:05d}.dcm")


def write_model(folder: Path) -> None:
    """Finds something where the middle of a slice is brighter than -8 HU, which noise alone decides."""
    import torch
    from torch import nn

    sys.path.insert(0, str(ROOT))
    from tests.model.networks import export, write_card

    class Middle(nn.Module):
        def forward(self, values: Any) -> Any:
            return (values[:, :, 32:96, 32:96].mean(dim=(1, 2, 3))[:, None] - 0.5) * 100 + 2

    torch.manual_seed(0)
    export(Middle(), folder / "model.pt2", (1, 128, 128))
    steps = (
        '[[preprocess]]\nstep = "window"\ncenter = 40\nwidth = 400\n[[preprocess]]\nstep = "crop"\nsize = [128, 128]\n'
    )
    write_card(folder, steps, labels='["nodule"]', activation='"sigmoid"', weights='"model.pt2"')


def child(words: list[str], limit: int) -> None:
    """One command of medadv within the limit; then its peak memory."""
    import threading

    sys.path.insert(0, str(ROOT))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    peak = {"RssAnon": 0, "RssFile": 0, "VmData": 0, "RssShmem": 0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for line in Path("/proc/self/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peak:
                    peak[name] = max(peak[name], int(value.split()[0]))

    threading.Thread(target=watch, daemon=True).start()
    from napari_medadv import room
    from napari_medadv.cli import main as medadv

    if os.environ.get("ENDLESS"):
        room.memory = lambda: 1 << 60
    start = time.monotonic()
    code = medadv(words)
    done.set()
    mib = {name: f"{size / 1024:,.0f} MiB" for name, size in peak.items()}
    print(
        f"  {words[0]}: exit {code}, {time.monotonic() - start:.0f} s; peak anonymous {mib['RssAnon']} "
        f"(data {mib['VmData']}), mapped files {mib['RssFile']}, shared {mib['RssShmem']}",
        flush=True,
    )
    sys.exit(code)


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--gib", type=float, default=4.0)
    asked.add_argument("--limit-gib", type=float, default=2.0)
    asked.add_argument("--scratch", type=Path, default=Path("/var/tmp"))
    given = asked.parse_args()
    count = round(given.gib * (1 << 30) / (2 * SIDE * SIDE))
    limit = int(given.limit_gib * (1 << 30))
    with tempfile.TemporaryDirectory(prefix="medadv-large-", dir=given.scratch) as name:
        folder = Path(name)
        write_series(folder / "source", count)
        (folder / "model").mkdir()
        write_model(folder / "model")
        print(
            f"{count} slices of {SIDE} x {SIDE}: {given.gib:g} GiB of voxels; limit {given.limit_gib:g} GiB", flush=True
        )
        attack = ["attack", f"{folder}/source", "--model", f"{folder}/model", "--conceal", "nodule", "--epsilon", "12"]
        attack += ["--steps", "3", "--out", f"{folder}/out"]
        print("kept in memory, which must fail:", flush=True)
        assert _run([*attack, "--slices", "0:2"], limit, endless=True) == 2
        print("kept in a file:", flush=True)
        assert _run([*attack, "--slices", "0:2"], limit) == 0
        assert _run(["replay", f"{folder}/out/record.json"], limit) == 0


def _run(words: list[str], limit: int, *, endless: bool = False) -> int:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "ENDLESS": "yes" if endless else ""}
    return subprocess.run(
        [sys.executable, __file__, "--child", str(limit), *words], env=environment, check=False
    ).returncode


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[3:], int(sys.argv[2]))
    main()

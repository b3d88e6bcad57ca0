"""Hostile and mutated files hurt nobody: a sentence, no crash, no hang, no memory; each batch in a child with little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dicom.hostile import HOSTILE
from tests.dicom.traps import TRAPS

CHILD = """
import json, os, random, resource, sys, tempfile, time
from pathlib import Path
import napari_medadv.dicom as dicom
import imagecodecs, pydicom
from napari_medadv.errors import MedAdvError
def limit(mebibytes):
    used = int(open("/proc/self/status").read().split("VmSize:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + (mebibytes << 20),) * 2)
folder = Path(tempfile.mkdtemp(dir=sys.argv[2]))
ALLOW = ("gap", "uneven", "drift", "mosaic")
def attempt(data, name="hostile.dcm"):
    (folder / name).write_bytes(data)
    start = time.process_time()
    try:
        for series in dicom.scan(folder / name):
            dicom.decode(series, allow=ALLOW)
        said = ""
    except MedAdvError as refusal:
        said = str(refusal)
    return said, time.process_time() - start
"""
EACH = (
    CHILD
    + """
found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        limit(250)
        os.write(writer, json.dumps(attempt(path.read_bytes())).encode())
        os._exit(0)
    os.close(writer)
    found[path.name] = [os.waitpid(pid, 0)[1], os.read(reader, 10000).decode()]
print(json.dumps(found))
"""
)
MANY = (
    CHILD
    + """
seeds = [Path(name).read_bytes() for name in sys.argv[5:]]
limit(int(sys.argv[1]))
random.seed(int(sys.argv[3]))
opened, worst = 0, 0.0
for number in range(int(sys.argv[4])):
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at = random.randrange(132, min(len(data), random.choice((400, 2000, 1 << 30))))
        kind = random.randrange(6)
        if kind == 0:
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            data[at:at + 4] = random.choice((b"\\xff\\xff\\xff\\xff", b"\\0\\0\\0\\0", b"\\xf0\\xff\\xff\\xff", b"\\xfe\\xff\\x00\\xe0"))
        elif kind == 2:
            del data[at:at + random.randrange(1, 64)]
        elif kind == 3:
            data[at:at] = random.randbytes(random.randrange(1, 16))
        elif kind == 4:
            data[at:at + 2] = random.randrange(65536).to_bytes(2, "little")
        else:
            del data[at + random.randrange(1, 4000):]
        if len(data) < 200:
            break
    said, seconds = attempt(bytes(data))
    opened, worst = opened + (not said), max(worst, seconds)
    if said and (not said.endswith(".") or "\\n" in said):
        raise SystemExit(f"no sentence: {said!r}")
print(json.dumps({"opened": opened, "worst": worst}))
"""
)
REAL = ("CT_small.dcm", "MR_small_RLE.dcm", "JPEG-LL.dcm", "693_J2KI.dcm", "SC_rgb_jpeg_dcmtk.dcm", "emri_small_jpeg_ls_lossless.dcm",
        "image_dfl.dcm", "OBXXXX1A_rle.dcm", "ExplVR_BigEnd.dcm", "eCT_Supplemental.dcm", "693_UNCI.dcm")  # fmt: skip


OPENED = ("60,000 private elements",)
"""Odd, but nothing is wrong with it."""


def child(code: str, *words: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_hostile_files_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for name, make in HOSTILE.items():
        (tmp_path / "files" / name).write_bytes(make())
    for name, (status, answer) in child(EACH, tmp_path / "files", tmp_path).items():
        assert status == 0 and answer, f"{name}: ended with {status}"
        said, seconds = json.loads(answer)
        assert said.endswith(".") or name in OPENED, name
        assert seconds < 2, (name, seconds, said)


MADE = ("Siemens mosaic", "bits, frames not on bytes", "floating point pixels", "modality lookup table", "palette",
        "enhanced, frames in no order")  # fmt: skip


def seeds(path: Path) -> list[str]:
    """Real files of many kinds, as many as are installed, and made ones of the kinds that are not."""
    from pydicom.data import get_testdata_file

    found = [get_testdata_file(name, download=False) for name in REAL]
    real = [str(each) for each in found if each and Path(str(each)).stat().st_size < 700_000]
    for trap in TRAPS:
        if trap.name in MADE:
            trap.make(path / "seeds" / trap.name)
    return real + [str(sorted(folder.iterdir())[0]) for folder in sorted((path / "seeds").iterdir())]


@pytest.mark.parametrize("batch", range(2))
def test_mutated_files(batch: int, tmp_path: Path) -> None:
    found = child(MANY, 600, tmp_path, 1000 + batch, 150, *seeds(tmp_path))
    assert found["opened"] > 0 and found["worst"] < 2


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(20))
def test_many_mutated_files(batch: int, tmp_path: Path) -> None:
    count = int(os.environ.get("MEDADV_FUZZ", "1000"))
    found = child(MANY, 600, tmp_path, batch, count, *seeds(tmp_path))
    assert found["worst"] < 2

"""Pulling from an archive: nothing lost, nothing doubled, resumed after a stop; a real Orthanc in a network of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from napari_medadv.cli import main
from napari_medadv.dicom import decode, scan
from napari_medadv.dicom.remote import RemoteSeries, fetch
from napari_medadv.errors import Cancelled, OutputError, SeriesError

SERIES = RemoteSeries("1.2.3", "1.2")
Folder = Callable[..., Path]
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass
class Shelf:
    """An archive in memory that sends everything twice and counts."""

    files: dict[str, bytes]
    lost: tuple[str, ...] = ()
    pulls: list[int] = field(default_factory=list)
    stopped_after: int | None = None

    def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
        return (SERIES,)

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        return frozenset(self.files)

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        self.pulls.append(len(wanted))
        for number, uid in enumerate((*self.files, *self.files)):
            if number == self.stopped_after:
                raise Cancelled("Fetching")
            if uid not in self.lost:
                receive(uid, self.files[uid])


@pytest.fixture
def shelf(folder: Folder) -> Shelf:
    found = scan(folder(6))[0]
    return Shelf({each.sop_uid: each.path.read_bytes() for each in found.instances})


def test_nothing_is_lost_or_doubled(shelf: Shelf, tmp_path: Path) -> None:
    files = fetch(shelf, SERIES, tmp_path / "new" / "pulled")
    assert len(files) == 6 and sorted((tmp_path / "new" / "pulled").iterdir()) == sorted(files)
    assert decode(scan(tmp_path / "new" / "pulled")[0]).shape[0] == 6
    assert fetch(shelf, SERIES, tmp_path / "new" / "pulled") == files and shelf.pulls == [6]


def test_a_stopped_pull_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    shelf.stopped_after = 2
    with pytest.raises(Cancelled):
        fetch(shelf, SERIES, tmp_path / "pulled")
    (tmp_path / "pulled" / ".torn.dcm.partial").write_bytes(b"half")
    shelf.stopped_after = None
    assert len(fetch(shelf, SERIES, tmp_path / "pulled")) == 6
    assert shelf.pulls == [6, 4]
    assert not list(tmp_path.glob("pulled/.*"))


def test_what_did_not_arrive_is_said(shelf: Shelf, tmp_path: Path) -> None:
    shelf.lost = tuple(shelf.files)[:2]
    with pytest.raises(SeriesError, match="2 of 6 images did not arrive"):
        fetch(shelf, SERIES, tmp_path / "pulled")
    with pytest.raises(SeriesError, match="holds no image"):
        fetch(Shelf({}), SERIES, tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch(shelf, SERIES, tmp_path / "file")


@pytest.mark.parametrize(
    "where",
    [
        ["--web", "http://127.0.0.1:9/dicom-web"],
        ["--dimse", "127.0.0.1:9"],
        ["--dimse", "nowhere"],
        ["--dimse", "127.0.0.1:99999"],
        ["--dimse", "127.0.0.1:9", "--title", "A" * 30],
        ["--dimse", "127.0.0.1:9", "--own-title", ""],
    ],
)
def test_no_archive_is_one_sentence(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pynetdicom")
    pytest.importorskip("dicomweb_client")
    assert main(["fetch", *where]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said


ORTHANC = """
import json, os, sys, time, urllib.request
from pathlib import Path
import numpy as np
from napari_medadv.dicom import decode, scan
from napari_medadv.dicom.dicomweb import DicomWeb
from napari_medadv.dicom.dimse import Dimse
from napari_medadv.dicom.remote import fetch
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
web = "http://127.0.0.1:8042/"
for _ in range(120):
    try:
        urllib.request.urlopen(web + "system", timeout=5).read()
        break
    except OSError:
        time.sleep(0.5)
for path in source.iterdir():
    urllib.request.urlopen(urllib.request.Request(web + "instances", data=path.read_bytes(), method="POST"), timeout=60).read()
series = scan(source)[0]
expected = decode(series)
found = {}
for name, archive in (("web", DicomWeb(web + "dicom-web")), ("dimse", Dimse("127.0.0.1", 4242, "ORTHANC", "MEDADV", 11113, "127.0.0.1"))):
    listed = [each for each in archive.search(series.study_uid) if each.uid == series.uid]
    out = folder / name
    start = time.monotonic()
    if not (pid := os.fork()):
        def die(share, words):
            if share > 0.4:
                os._exit(9)
        fetch(archive, listed[0], out, progress=die)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    part = len(list(out.glob("*.dcm")))
    files = fetch(archive, listed[0], out)
    pulled = decode(scan(out)[0])
    found[name] = {
        "listed": len(listed), "killed": os.waitstatus_to_exitcode(status), "part": part, "files": len(files),
        "in folder": len(list(out.iterdir())), "equal": bool((pulled.voxels == expected.voxels).all()),
        "seconds": time.monotonic() - start,
    }
print(json.dumps(found))
"""


@pytest.mark.slow
def test_a_real_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pynetdicom")
    pytest.importorskip("dicomweb_client")
    alone = not subprocess.run(["unshare", "-n", "true"], check=False).returncode
    if not shutil.which("Orthanc") or not PLUGIN.is_file() or not alone:
        pytest.skip("needs Debian's orthanc and orthanc-dicomweb, and a network namespace of its own (unshare -n)")
    count = int(os.environ.get("MEDADV_ORTHANC_SLICES", "300"))
    from tests.dicom.making import dataset, write

    for index in range(count):
        write(dataset("CT", index, InstanceNumber=index + 1), tmp_path / "source" / f"{index:04d}.dcm")
    store = tmp_path / "orthanc"
    store.mkdir()
    settings = {
        "StorageDirectory": str(store),
        "IndexDirectory": str(store),
        "HttpPort": 8042,
        "RemoteAccessAllowed": False,
        "DicomPort": 4242,
        "DicomAet": "ORTHANC",
        "AuthenticationEnabled": False,
        "DicomModalities": {"medadv": ["MEDADV", "127.0.0.1", 11113]},
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    (tmp_path / "pull.py").write_text(ORTHANC)
    command = (
        f"ip link set lo up; Orthanc {tmp_path}/orthanc.json > {tmp_path}/log 2>&1 & server=$!; "
        f"{sys.executable} -W ignore {tmp_path}/pull.py {tmp_path}/source {tmp_path}/pulled; code=$?; kill $server; exit $code"
    )
    paths = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", command],
        capture_output=True, text=True, check=False, timeout=500, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{count} slices from Orthanc: {found}")
    for name in ("web", "dimse"):
        assert found[name]["listed"] == 1 and found[name]["equal"] and found[name]["killed"] == 9
        assert found[name]["files"] == found[name]["in folder"] == count > found[name]["part"] > 0

"""DICOMweb servers that are odd or hostile: a sentence each, no endless search, and nothing in the folder that is not whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from napari_medadv.cli import main
from tests.dicom.making import dataset, write

pytest.importorskip("dicomweb_client")
DATASET = dataset()
SERIES, STUDY, IMAGE = (str(DATASET[key].value) for key in ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID"))


class Server(ThreadingHTTPServer):
    """One series of one image, answered whatever page is asked for."""

    daemon_threads = True
    status = 200
    image = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.listed: Any = [{"0020000E": {"Value": [SERIES]}, "0020000D": {"Value": [STUDY]}}]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path, kind = self.path.split("?")[0], "application/dicom+json"
        if path.endswith("/series"):
            body = json.dumps(self.server.listed).encode()
        elif path.endswith("/instances"):
            body = json.dumps([{"00080018": {"Value": [IMAGE]}}, {}]).encode()
        else:
            body, kind = self.server.image, "application/dicom"
        self.send_response(self.server.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server() as found:
        found.image = write(DATASET, tmp_path / "source.dcm").read_bytes()
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def pull(server: Server, folder: Path) -> int:
    url = f"http://127.0.0.1:{server.server_port}/web"
    return main(["fetch", "--web", url, "--study", STUDY, "--out", str(folder)])


@pytest.mark.parametrize("number", [[], ["abc"], ["3.0"], [None]])
def test_an_archive_that_knows_no_pages_and_odd_numbers(server: Server, tmp_path: Path, number: list[Any]) -> None:
    server.listed[0]["00200011"] = {"vr": "IS", "Value": number}
    assert pull(server, tmp_path / "out") == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize("listed", ["hello", 5, [1, 2], [{"0020000E": "x"}], [{"0020000E": {"Value": {"a": 1}}}]])
def test_what_is_no_list_of_series(server: Server, tmp_path: Path, listed: Any, capsys: Any) -> None:
    server.listed = listed
    assert pull(server, tmp_path / "out") == 2
    assert "did not answer as DICOMweb" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "advice"), [(401, "password"), (403, "may read"), (404, "address"), (500, "later")])
def test_a_refusal_is_told(server: Server, tmp_path: Path, status: int, advice: str, capsys: Any) -> None:
    server.status = status
    assert pull(server, tmp_path / "out") == 2
    assert str(status) in (said := capsys.readouterr().err) and advice in said


def test_an_image_that_is_cut_off_is_not_kept(server: Server, tmp_path: Path, capsys: Any) -> None:
    whole, server.image = server.image, server.image[:-100]
    assert pull(server, tmp_path / "out") == 2
    assert "cut off" in capsys.readouterr().err and not list((tmp_path / "out").iterdir())
    server.image = whole
    assert pull(server, tmp_path / "out") == 0


def test_an_image_of_another_series_is_not_kept(server: Server, tmp_path: Path, capsys: Any) -> None:
    other = dataset(SeriesInstanceUID="1.2.3")
    other.SOPInstanceUID = IMAGE
    server.image = write(other, tmp_path / "other.dcm").read_bytes()
    assert pull(server, tmp_path / "out") == 2
    assert "did not arrive" in capsys.readouterr().err and not list((tmp_path / "out").iterdir())

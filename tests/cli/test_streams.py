"""Where the answer goes: closed pipes, full disks, terminals without Unicode, and a stop while fresh acquisitions are asked."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_medadv import __version__
from napari_medadv.cli.console import watched
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write


def medadv_process(*words: object, into: Any = subprocess.PIPE, **more: str) -> "subprocess.Popen[bytes]":
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [sys.executable, "-m", "napari_medadv", *map(str, words)],
        stdout=into,
        stderr=subprocess.PIPE,
        env=plain | {"MEDADV_DEBUG": ""} | more,
    )


@pytest.mark.parametrize("words", [("scan", "."), ("--help",)])
def test_nobody_who_reads_is_no_noise(words: tuple[str, ...], ct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ct)
    reading, writing = os.pipe()
    os.close(reading)
    process = medadv_process(*words, into=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and not err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_answer_that_finds_no_room_is_a_sentence(ct: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = medadv_process("scan", ct, into=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and err.decode().count("\n") == 1 and "No space left" in err.decode()


def test_a_terminal_without_unicode_shows_the_rest(tmp_path: Path) -> None:
    write(dataset("CT", 0, SeriesDescription="Übersicht", SpecificCharacterSet="ISO_IR 192"), tmp_path / "0.dcm")
    process = medadv_process("scan", tmp_path, PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and not err and rb"\xdcbersicht" in out
    out, _ = medadv_process("scan", tmp_path, "--json", PYTHONIOENCODING="latin-1").communicate(timeout=60)
    assert json.loads(out.decode("utf-8"))["series"][0]["description"] == "Übersicht"


class Terminal(io.StringIO):
    """Stderr of somebody with a narrow window."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def test_a_living_line_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((40, 24)))
    with watched() as progress:
        progress(0.5, "reading slice 100 of 1000 of a series with a long name")
    drawn = screen.getvalue().split("\r")
    assert any("50 % reading" in line for line in drawn) and max(map(len, drawn)) < 40


def test_a_stop_while_acquisitions_are_asked_leaves_nothing_as_it_says(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_medadv.attacks.survival.survival", stopped)
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--retakes", 3]
    said = medadv(*words, "--out", tmp_path / "out")
    assert said.code == 130 and said.err == "medadv: Stopped; nothing was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_the_version_is_told_and_a_wrong_option_names_its_own_help(medadv: Medadv, ct: Path) -> None:
    said = medadv("--version")
    assert said.code == 0 and said.out == f"medadv {__version__}\n"
    assert "see medadv scan --help" in medadv("scan", ct, "more").one_sentence()


def test_what_is_said_of_a_ledger_is_not_dropped_where_none_is_named(medadv: Medadv, ct: Path) -> None:
    for words in (["--root", "ab"], ["--public-key", ct], ["--complete"]):
        assert "--baseline" in medadv("verify", ct, *words).one_sentence()


def test_the_folder_of_a_record_will_do_and_a_search_without_result_says_so(
    medadv: Medadv, attacked: Path, ct: Path
) -> None:
    assert medadv("replay", attacked).code == 0
    assert "Nothing" in medadv("tags", next(ct.iterdir()), "--search", "zzzz").out

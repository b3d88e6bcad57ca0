"""The program as a process: what it loads, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_medadv.cli import main

HEAVY = ("torch", "napari", "qtpy", "PyQt6", "matplotlib", "pydicom", "numpy")


def python(*words: object, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"MEDADV_DEBUG": ""} | more,
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom napari_medadv.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    out, err = python("-c", code).communicate()
    assert out.endswith("[]\n") and "attack" in out and not err


def slow_save(tmp_path: Path, ct: Path, model: Path) -> "subprocess.Popen[str]":
    """An attack whose panel takes for ever: the series is written already, in the hidden folder."""
    code = f"""
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
import napari_medadv.audit.delivery as delivery
def slow(found, size, path):
    print("writing", flush=True)
    time.sleep(60)
delivery.write_panel = slow
from napari_medadv.cli import main
words = ["attack", {str(ct)!r}, "--model", {str(model)!r}, "--conceal", "nodule", "--epsilon", "16"]
sys.exit(main([*words, "--out", {str(tmp_path / "out")!r}]))
"""
    process = python("-W", "ignore", "-c", code)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_nothing(number: int, tmp_path: Path, ct: Path, model: Path) -> None:
    process = slow_save(tmp_path, ct, model)
    process.send_signal(number)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    # On a slow machine, lines of progress come before it.
    assert err.splitlines()[-1] == "medadv: Stopped; nothing was written." and "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_command_that_goes_on_later_says_so(tmp_path: Path, ct: Path) -> None:
    code = f"""
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import napari_medadv.dicom.baseline as baseline
def slow(*args, **settings):
    print("recording", flush=True)
    time.sleep(60)
baseline.record = slow
from napari_medadv.cli import main
sys.exit(main(["baseline", {str(ct)!r}, "--ledger", {str(tmp_path / "ledger")!r}]))
"""
    process = python("-W", "ignore", "-c", code)
    assert process.stdout is not None and process.stdout.readline() == "recording\n"
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130 and "Traceback" not in err
    assert (
        err.splitlines()[-1] == "medadv: Stopped; what was finished is kept, and the same words again go on from there."
    )


def test_a_kill_leaves_nothing_that_looks_whole(tmp_path: Path, ct: Path, model: Path) -> None:
    process = slow_save(tmp_path, ct, model)
    process.kill()
    process.communicate(timeout=20)
    time.sleep(0.1)
    left = [path for path in tmp_path.iterdir() if path.name != "source"]
    assert all(path.name.startswith(".out.") and path.name.endswith(".partial") for path in left) and len(left) == 1


def test_an_error_of_the_program_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import napari_medadv.dicom

    def broken(*words: object, **more: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(napari_medadv.dicom, "scan", broken)
    monkeypatch.delenv("MEDADV_DEBUG", raising=False)
    assert main(["scan", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("MEDADV_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["scan", str(tmp_path)])

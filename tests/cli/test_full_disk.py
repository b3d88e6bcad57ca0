"""A full disk in the middle of writing: one sentence, and nothing is left."""

import errno
import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Medadv


def full(*words: Any, **more: Any) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise OSError("a library\nwraps it") from error


@pytest.mark.parametrize(("where", "what"), [("dicom.save", "dcmwrite"), ("audit.delivery", "write_panel")])
def test_a_full_disk_leaves_nothing(
    where: str, what: str, medadv: Medadv, ct: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module(f"napari_medadv.{where}"), what, full)
    said = medadv("attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out")
    assert "No space left on device" in said.one_sentence()
    assert [path.name for path in tmp_path.iterdir()] == ["source"]

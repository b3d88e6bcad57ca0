"""A display that does not answer (Qt would end the program), and a viewer that cannot be loaded, are one sentence."""

from __future__ import annotations

import ctypes.util
import importlib
import sys
from types import ModuleType

import pytest

from napari_medadv.cli.screen import has_screen, require_screen, require_viewer
from napari_medadv.errors import MedAdvError, OutputError


@pytest.mark.skipif(sys.platform != "linux" or ctypes.util.find_library("xcb") is None, reason="asks an X server")
def test_a_display_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":7777")
    assert not has_screen()
    with pytest.raises(OutputError, match="DISPLAY is :7777, where nobody answers"):
        require_screen()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_screen()


@pytest.mark.parametrize(
    ("package", "fault", "said"),
    [
        ("napari", ModuleNotFoundError("No module named 'napari'"), "needs the package napari: .*app"),
        ("qtpy.QtGui", ImportError("No Qt bindings could be found"), "needs the package PyQt6: .*app"),
        (
            "qtpy.QtGui",
            ImportError("libEGL.so.1: cannot open shared object file"),
            r"\(libEGL\.so\.1.*install this library",
        ),
    ],
)
def test_a_viewer_that_cannot_be_loaded(
    package: str, fault: ImportError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.import_module

    def load(name: str) -> ModuleType:
        if name == package:
            raise fault
        return found(name)

    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(MedAdvError, match=said):
        require_viewer()

"""A display that is named but does not answer is one sentence; Qt would end the program."""

from __future__ import annotations

import ctypes.util
import sys

import pytest

from napari_medadv.cli.screen import has_screen, require_screen
from napari_medadv.errors import OutputError


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

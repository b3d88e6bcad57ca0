"""Room: what is large lies in a file, and what does not fit there is a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv import room
from napari_medadv.errors import SeriesError, SettingError
from napari_medadv.room import SCRATCH, SHARE, Room, mapped, standard

MIB = 1 << 20


def test_a_small_array_lies_in_memory_and_a_large_one_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "memory", lambda: 4 * MIB)
    here = Room(0.25, tmp_path)
    assert not mapped(here.array((MIB,), np.uint8))
    large = here.array((2, 3, MIB), np.uint8)
    assert mapped(large) and mapped(large[1].view()) and not mapped(large[0] + 0)
    large[...] = 7
    copy = here.like(large)
    copy[0] = 8
    assert mapped(copy) and large.max() == 7 and copy[1].max() == 7
    assert not mapped(here.like(np.zeros(3)))
    assert not list(tmp_path.iterdir()), "nothing of a patient is left for others to read"


def test_a_share_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARE, "0.5")
    assert standard().share == 0.5
    monkeypatch.setenv(SHARE, "half")
    with pytest.raises(SettingError, match="from 0 to 1"):
        standard()
    with pytest.raises(SettingError, match="from 0 to 1"):
        Room(1.5)


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 300 * MIB}))
    with pytest.raises(SeriesError, match=r"100.0 MiB takes more than 0 % .* 0.3 GiB left"):
        Room(0, tmp_path).array((100, MIB), np.uint8)


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCRATCH, str(tmp_path / "nowhere"))
    with pytest.raises(SeriesError, match="cannot be kept on disk"):
        Room(0).array((10,), np.uint8)


def test_a_limit_of_the_process_is_the_memory() -> None:
    resource: Any = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit = room.memory() - 1
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        assert room.memory() == limit
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)

"""A folder with a small series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dicom.making import dataset, write


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a series of `count` slices into a new folder, file names in no order."""

    def make(count: int = 4, modality: str = "CT", *, name: str = "source", **changed: Any) -> Path:
        for index in range(count):
            each = {key: value(index) if callable(value) else value for key, value in changed.items()}
            write(dataset(modality, index, **each), tmp_path / name / f"{(index * 7) % 11:02d}_{index}.dcm")
        return tmp_path / name

    return make

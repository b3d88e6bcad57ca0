from pathlib import Path

import pytest

from tests.dicom.baseline.series_files import series
from tests.dicom.signature.signed_files import authority

__all__ = ["authority"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small series in a folder of its own."""
    series(tmp_path / "series")
    return tmp_path / "series"

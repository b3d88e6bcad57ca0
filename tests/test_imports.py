"""What importing the package costs, and that its public names are all there."""

import subprocess
import sys

import pytest

import napari_medadv

HEAVY = ("torch", "napari", "qtpy", "PyQt6", "PySide6", "matplotlib", "pydicom")


@pytest.mark.parametrize("line", ["import napari_medadv"])
def test_neither_the_import_nor_the_help_loads_anything_heavy(line: str) -> None:
    code = f"""
import sys
try:
    {line}
except SystemExit as end:
    assert not end.code, end.code
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", napari_medadv.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(napari_medadv, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'manager'"):
        _ = napari_medadv.manager

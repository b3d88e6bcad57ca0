"""Alone: pydicom, imported without python-gdcm, which it would take into this process where that is installed.

python-gdcm aborts the interpreter on some files, and nothing here decodes with it. Where pydicom was imported before by
somebody else, it stays as it is; a program that wants python-gdcm itself may import it as ever.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

_modules = cast(dict[str, ModuleType | None], sys.modules)
_barred = "pydicom" not in _modules and "gdcm" not in _modules
if _barred:
    _modules["gdcm"] = None
try:
    import pydicom
    import pydicom.data
    import pydicom.pixels
finally:
    if _barred:
        del _modules["gdcm"]

__all__ = ["pydicom"]

"""Window presets by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import scan
from napari_medadv.dicom.window import presets


def test_presets(folder: Callable[..., Path]) -> None:
    ct = presets(decode(scan(folder(2))[0]))
    assert list(ct)[:2] == ["lung", "mediastinum"] and ct["lung"].width == 1500 and ct["bone"].center == 500
    mr = presets(decode(scan(folder(2, "MR", name="mr"))[0]))
    assert list(mr) == ["full range"]

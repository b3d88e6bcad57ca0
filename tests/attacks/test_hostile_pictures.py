"""Files that pretend to hold a perturbation are one sentence, and nothing in them runs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_medadv.attacks.picture import keep, kept
from napari_medadv.errors import AttackError

GOOD = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)


def _saved(numbers: Any) -> bytearray:
    file = io.BytesIO()
    np.savez_compressed(file, change=numbers)
    return bytearray(file.getvalue())


def _zipped(inside: bytes, name: str = "change.npy") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, inside)
    return file.getvalue()


def _headed(words: str) -> bytes:
    head = words.encode().ljust(127) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


def _marked(place: int, value: int) -> bytes:
    """A good file both of whose headers say `value` at this place."""
    data = _saved(GOOD)
    data[place] = data[data.rfind(b"PK\x01\x02") + place + 2] = value
    return bytes(data)


def _garbled() -> bytes:
    data = _saved(GOOD)
    data[200:260] = b"\xff" * 60
    return bytes(data)


HOSTILE = {
    "garbled": _garbled(),
    "locked": _marked(6, 1),
    "unknown packing": _marked(8, 99),
    "larger than any memory": _zipped(
        _headed("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 10000000, 10000000), }")
    ),
    "no header": _zipped(_headed("{(((((''" + "'((((")),
    "no array": _zipped(b"hello"),
    "no array by name": _zipped(b"hello", "change"),
    "complex": bytes(_saved(GOOD.astype(np.complex64))),
    "yes and no": bytes(_saved(GOOD > 0)),
    "dates": bytes(_saved(np.zeros((1, 1, 2, 2), "M8[D]"))),
    "objects": bytes(_saved(np.full((1, 1, 2, 2), None))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_one_sentence(name: str, tmp_path: Path) -> None:
    file = tmp_path / "change.npz"
    file.write_bytes(HOSTILE[name])
    with pytest.raises(AttackError, match="holds no change"):
        kept(file, torch.zeros(1, 1, 1, 32, 32), "change")


def test_whole_numbers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "change.npz"
    file.write_bytes(_saved(np.ones((1, 1, 4, 4), np.int16)))
    assert kept(file, torch.zeros(1, 1, 1, 4, 4), "change").dtype == torch.float32


def test_the_unit_is_kept_and_another_one_refused(tmp_path: Path) -> None:
    file, like = tmp_path / "change.npz", torch.zeros(1, 1, 1, 4, 4)
    keep(file, like + 1, "change", "HU")
    keep(file, like + 2, "change", "HU")  # an earlier result may be replaced
    assert torch.equal(kept(file, like, "change", "HU"), like + 2)
    assert torch.equal(kept(file, like, "change"), like + 2)
    with pytest.raises(AttackError, match="is in HU and the series in stored value"):
        kept(file, like, "change", "stored value")
    np.savez(file, change=GOOD, unit=np.array([{}], object))
    with pytest.raises(AttackError, match="holds no change"):
        kept(file, like, "change", "HU")

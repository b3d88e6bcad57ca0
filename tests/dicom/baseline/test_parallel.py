"""Ledgers that processes measure."""

import os
import sys
from pathlib import Path

import pytest

from napari_medadv.dicom.baseline import read_ledger, record
from napari_medadv.dicom.baseline.ledger import new_ledger
from napari_medadv.errors import LedgerError


@pytest.fixture
def ledger(folder: Path, tmp_path: Path) -> Path:
    record(folder, tmp_path / "series.ledger")
    return tmp_path / "series.ledger"


def test_processes_record_what_threads_do(folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "no.dcm").write_bytes(b"nothing")
    salt = read_ledger(ledger).salt
    monkeypatch.setattr("napari_medadv.dicom.baseline.parallel.MUCH", 0)
    module = sys.modules["napari_medadv.dicom.baseline.record"]
    monkeypatch.setattr(module, "new_ledger", lambda depth, _: new_ledger(depth, salt))
    found = record(folder, ledger.with_name("other"), threads=2, processes=True)
    assert found.ledger.lines == read_ledger(ledger).lines and len(found.left_out) == 1


def test_a_process_that_dies_is_one_sentence_and_nothing_is_lost(
    folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medadv.dicom.baseline.parallel.MUCH", 0)
    monkeypatch.setattr("napari_medadv.dicom.baseline.parallel._quietly", _die)
    with pytest.raises(LedgerError, match="--threads 1"):
        record(folder, ledger.with_name("other"), threads=2, processes=True)
    assert not ledger.with_name("other").exists()
    assert record(folder, ledger.with_name("other"), threads=1, processes=True).added == len(list(folder.iterdir()))


def _die() -> None:
    os._exit(9)

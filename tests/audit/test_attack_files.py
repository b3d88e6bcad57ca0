"""The files that an attack reads are found again from wherever a record is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.repeated import Repeated
from napari_medadv.attacks.transfer import Transfer
from napari_medadv.audit.attack_files import found_files, kept_files


def test_a_file_is_kept_relative_to_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "one.npz").touch()
    monkeypatch.chdir(tmp_path / "here")
    kept = kept_files(Repeated("one.npz"), tmp_path / "out" / "result")
    assert kept == Repeated("../../here/one.npz")
    monkeypatch.chdir("/")
    (tmp_path / "out" / "result").mkdir(parents=True)
    assert Path(found_files(kept, tmp_path / "out" / "result").change).samefile(tmp_path / "here" / "one.npz")


def test_several_files_and_none(tmp_path: Path) -> None:
    for name in ("a.pt2", "b.pt2"):
        (tmp_path / name).touch()
    attack = Transfer((str(tmp_path / "a.pt2"), str(tmp_path / "b.pt2")))
    assert kept_files(attack, tmp_path / "out").surrogates == ("../a.pt2", "../b.pt2")
    assert kept_files(PGD(), tmp_path) == PGD() and kept_files(Repeated(), tmp_path) == Repeated()


@pytest.mark.parametrize("name", ["gone.npz", "\0", "x" * 5000, "module:name"])
def test_what_is_not_there_stays_as_it_is_written(name: str, tmp_path: Path) -> None:
    assert kept_files(Repeated(name), tmp_path) == found_files(Repeated(name), tmp_path) == Repeated(name)

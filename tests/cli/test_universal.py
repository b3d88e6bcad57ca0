"""One perturbation or patch from several series, kept in a file, judged on each and on others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.dicom import decode, scan
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """Three CTs of two slices, of about -190 HU."""
    found = []
    for number in range(3):
        rng = np.random.default_rng(number)
        folder = tmp_path / f"ct{number}"
        for index in range(2):
            voxels = (834 + rng.integers(-20, 21, (16, 12))).astype(np.int16)
            made = dataset("CT", index, voxels=voxels)
            made.SeriesInstanceUID = f"1.2.3.{number + 1}"
            made.SOPInstanceUID = f"1.2.3.{number + 1}.{index + 1}"
            write(made, folder / f"{index}.dcm")
        found.append(folder)
    return found


def test_one_change_for_all_series_is_kept_judged_and_applied_to_another(
    medadv: Medadv, three: list[Path], model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16]
    said = medadv("universal", *three[:2], "--judge", three[2], *words, "--out", out, "--write", "--json")
    found = json.loads(said.out)
    assert said.code == 0 and (found["reached"], found["of"]) == (3, 3)
    assert [series["learned"] for series in found["series"]] == [True, True, False]
    with np.load(out / "universal.npz", allow_pickle=False) as file:
        change = file["change"]
    assert change.shape == (1, 1, 16, 12) and 0 < np.abs(change).max() <= 16
    clean = decode(scan(three[2])[0])
    for number in (1, 2, 3):
        folder = out / f"1.2.3.{number}_universal"
        assert sorted(path.name for path in folder.iterdir()) == ["panel.png", "record.json", "series"]
    added = decode(scan(out / "1.2.3.3_universal" / "series")[0]).voxels.astype(int) - clean.voxels
    assert (added == added[0]).all() and np.abs(added).max() <= 16
    again = medadv(
        "attack",
        three[2],
        *words,
        "--attack",
        "repeated",
        "--change",
        out / "universal.npz",
        "--out",
        tmp_path / "again",
    )
    assert "still concealed" in again.out and "0 gradients" in again.out
    same = decode(scan(tmp_path / "again" / "series")[0]).voxels
    assert np.array_equal(same - clean.voxels.astype(int), added)


def test_a_patch_for_every_label(medadv: Medadv, three: list[Path], halves: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--model", halves, "--every-label", "--epsilon", 150, "--norm", "l0", "--attack", "patch", "--steps", 40]
    said = medadv(
        "universal", *three[:2], *words, "--shape", "square", "--size", 0.8, "--place", "0.75,0.5", "--out", out
    )
    assert said.code == 0 and "upper" in said.out and "as wished already in every series" in said.out
    assert [path.name for path in out.iterdir()] == ["2_lower.npz"] and "of 2, as stored" in said.out
    with np.load(out / "2_lower.npz", allow_pickle=False) as file:
        assert file["picture"].shape == (1, 64, 64)


def test_what_cannot_be_learned_on_several_is_one_sentence(
    medadv: Medadv, three: list[Path], model: Path, tmp_path: Path
) -> None:
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"]
    assert "take universal or patch" in medadv("universal", *three, *words, "--attack", "pgd").one_sentence()
    assert (
        "already"
        in medadv("universal", three[0], *[w if w != "--conceal" else "--fabricate" for w in words]).one_sentence()
    )
    assert not (tmp_path / "out").exists()


def test_a_uid_is_no_path_and_volumes_of_one_uid_get_a_folder_each(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(2):
        for index in range(2):
            voxels = (834 + rng.integers(-20, 21, (16, 12))).astype(np.int16)
            made = dataset("CT", index, voxels=voxels, AcquisitionNumber=number + 1)
            made.SeriesInstanceUID = "1.2.3.4.5.6.7.8.9"
            path = write(made, tmp_path / "ct" / f"{number}{index}.dcm")
            path.write_bytes(path.read_bytes().replace(b"1.2.3.4.5.6.7.8.9", b"../../planted.dcm"))
    out = tmp_path / "deep" / "out"
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out, "--write"]
    said = medadv("universal", tmp_path / "ct", *words)
    assert said.code == 0, said.err
    assert not list(tmp_path.rglob("planted*")) and sorted(path.name for path in (tmp_path / "deep").iterdir()) == [
        "out"
    ]
    assert len([path for path in out.iterdir() if path.is_dir()]) == 2


def test_what_each_label_cannot_be_asked_is_refused(
    medadv: Medadv, three: list[Path], halves: Path, tmp_path: Path
) -> None:
    words = ["--model", halves, "--every-label", "--epsilon", 16, "--out", tmp_path / "o"]
    for more in (["--others-stay"], ["--confidence", 0.9]):
        assert "leave one out" in medadv("universal", *three, *words, *more).one_sentence()


def test_a_record_names_no_file_to_write(medadv: Medadv, three: list[Path], model: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    file = tmp_path / "kept" / "u.npz"
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--attack", "universal", "--steps", 5]
    assert medadv("attack", three[0], *words, "--keep", file, "--out", tmp_path / "o").code == 0
    file.unlink()
    (tmp_path / "kept").rmdir()
    assert medadv("replay", tmp_path / "o" / "record.json").code == 0 and not (tmp_path / "kept").exists()
    said = medadv("attack", three[0], *words, "--keep", file, "--out", tmp_path / "p").one_sentence()
    assert "folder" in said and not (tmp_path / "p").exists()


def test_what_was_written_is_replayed_from_anywhere(
    medadv: Medadv, three: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16]
    assert medadv("universal", three[0], *words, "--out", "out", "--write").code == 0
    change = ["--attack", "repeated", "--change", "out/universal.npz"]
    assert medadv("attack", three[1], *words, *change, "--out", "again").code == 0
    (tmp_path / "out").rename(tmp_path / "moved")
    monkeypatch.chdir("/")
    assert "the same bytes" in medadv("replay", tmp_path / "moved" / "1.2.3.1_universal").out
    (tmp_path / "moved").rename(tmp_path / "out")
    assert "the same bytes" in medadv("replay", tmp_path / "again").out


def test_series_of_another_unit_are_refused_before_anything_is_learned(
    medadv: Medadv, three: list[Path], model: Path, tmp_path: Path
) -> None:
    made = dataset("MR", 0, voxels=np.full((16, 12), 500, np.int16))
    made.SeriesInstanceUID = "1.2.3.77"
    write(made, tmp_path / "mr" / "0.dcm")
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"]
    said = medadv("universal", three[0], "--judge", tmp_path / "mr", *words).one_sentence()
    assert "several kinds" in said and not (tmp_path / "out").exists()


def test_keep_is_no_second_place(medadv: Medadv, three: list[Path], model: Path, tmp_path: Path) -> None:
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"]
    said = medadv("universal", three[0], *words, "--keep", tmp_path / "one.npz").one_sentence()
    assert "leave --keep out" in said and not (tmp_path / "out").exists()


def test_a_finding_that_some_slice_of_each_series_shows_is_not_fabricated(
    medadv: Medadv, tmp_path: Path, model: Path
) -> None:
    for number, value in enumerate((844, 724)):  # present in the first slice, far from it in the second
        made = dataset("CT", number, voxels=np.full((16, 12), value, np.int16))
        write(made, tmp_path / "ct" / f"{number}.dcm")
    words = ["--model", model, "--fabricate", "nodule", "--epsilon", 300, "--out", tmp_path / "out"]
    assert "met by every clean series already" in medadv("universal", tmp_path / "ct", *words).one_sentence()
    assert not (tmp_path / "out").exists()

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medadv.dicom import decode, scan
from tests.cli.conftest import Medadv
from tests.dicom.making import dataset, write


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_attack_writes_series_record_and_panel_and_reads_back(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    before = digests(ct)
    out = tmp_path / "out"
    said = medadv("attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--steps", 12, "--out", out)
    assert said.code == 0 and "read back: same integers, still concealed" in said.out
    assert sorted(path.name for path in out.iterdir()) == ["panel.png", "record.json", "series"]
    assert (out / "panel.png").read_bytes()[:4] == b"\x89PNG"
    assert digests(ct) == before
    clean, other = decode(scan(ct)[0]), decode(scan(out / "series")[0])
    assert 0 < np.abs(other.voxels.astype(int) - clean.voxels).max() <= 16
    header = pydicom.dcmread(next((out / "series").iterdir()))
    assert "PGD(steps=12" in header.DerivationDescription and "16.0) HU" in header.DerivationDescription
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]


def test_json_is_one_object_and_holds_no_identity(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    said = medadv(
        "attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "o", "--json"
    )
    found = json.loads(said.out)
    assert found["reached"] and found["read_back"] == {"same_integers": True, "reached": True}
    assert found["record"]["result"]["distortion"]["linf"] <= 16
    assert json.loads((tmp_path / "o" / "record.json").read_text()) == found["record"]
    assert "Doe" not in said.out + said.err and "P1" not in said.out


def test_a_deidentified_record_keeps_no_path(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out, "--deidentify"]
    assert medadv(*words).code == 0
    assert json.loads((out / "record.json").read_text())["source"]["path"] is None
    assert "named" not in medadv("replay", out / "record.json").err
    assert "--source" in medadv("replay", out / "record.json").one_sentence()
    assert medadv("replay", out / "record.json", "--source", ct).code == 0


def test_a_deidentified_result_is_written_again_without_identity(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    out, again = tmp_path / "o", tmp_path / "again"
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out, "--deidentify"]
    assert medadv(*words).code == 0
    assert medadv("replay", out, "--source", ct, "--out", again).code == 0
    assert json.loads((again / "record.json").read_text())["source"]["path"] is None
    assert all(b"Doe" not in path.read_bytes() for path in (again / "series").iterdir())


def test_slices_region_and_another_attack(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    mask = np.zeros((4, 16, 12), np.uint8)
    mask[:, :8] = 1
    np.save(tmp_path / "mask.npy", mask)
    out = tmp_path / "o"
    words = [
        "attack",
        ct,
        "--model",
        model,
        "--attack",
        "fgsm",
        "--conceal",
        "nodule",
        "--epsilon",
        40,
        "--slices",
        "1:3",
    ]
    said = medadv(*words, "--region", tmp_path / "mask.npy", "--out", out)
    assert said.code == 0, said.err
    change = decode(scan(out / "series")[0]).voxels.astype(int) - decode(scan(ct)[0]).voxels
    assert not change[[0, 3]].any() and not change[:, 8:].any() and change[1:3, :8].any()
    assert medadv("replay", out / "record.json").code == 0


def test_replay_gives_the_same_bytes(medadv: Medadv, attacked: Path, tmp_path: Path) -> None:
    said = medadv("replay", attacked / "record.json", "--out", tmp_path / "again")
    assert said.code == 0 and "the same bytes of pixel data in all 4 slices" in said.out
    first, second = (sorted((folder / "series").iterdir()) for folder in (attacked, tmp_path / "again"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_replay_notices_another_source_model_and_result(
    medadv: Medadv, attacked: Path, ct: Path, tmp_path: Path
) -> None:
    path = attacked / "record.json"
    record = json.loads(path.read_text())

    def changed(part: str, key: str, value: object) -> Path:
        other = json.loads(json.dumps(record))
        other[part][key] = value
        (attacked / "other.json").write_text(json.dumps(other))
        return attacked / "other.json"

    wrong = ["0" * 64, *record["source"]["sha256"][1:]]
    assert "1 of 4 slices of the source" in medadv("replay", changed("source", "sha256", wrong)).one_sentence()
    assert "classifier's sha256" in medadv("replay", changed("classifier", "sha256", "abc")).one_sentence()
    wrong = ["0" * 64, *record["result"]["sha256"][1:]]
    assert "differs in 1 of 4 slices" in medadv("replay", changed("result", "sha256", wrong)).one_sentence()
    assert "does not hold the series" in medadv("replay", changed("source", "series_uid", "1.2")).one_sentence()
    assert "names the private attack" in medadv("replay", changed("attack", "name", "mine:Mine")).one_sentence()


def test_scan_and_predict(medadv: Medadv, ct: Path, model: Path) -> None:
    found = json.loads(medadv("scan", ct, "--json").out)
    assert found["series"][0]["modality"] == "CT" and found["series"][0]["instances"] == 4
    assert "16 x 12, 4 slices" in medadv("scan", ct).out
    found = json.loads(medadv("predict", ct, "--model", model, "--json").out)
    assert found["prediction"]["present"] == ["nodule"] and len(found["prediction"]["slices"]) == 4
    assert found["classifier"]["facts"] == []


@pytest.mark.parametrize("option", ["--set=steps=3", "--steps=3", "--set=steps = 3"])
def test_settings_of_an_attack_are_options(medadv: Medadv, ct: Path, model: Path, tmp_path: Path, option: str) -> None:
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "o", option]
    assert medadv(*words).code == 0
    assert json.loads((tmp_path / "o" / "record.json").read_text())["attack"]["settings"]["steps"] == 3


def test_help_lists_every_attack_with_its_settings(medadv: Medadv) -> None:
    said = medadv("attack", "--help")
    assert said.code == 0 and "confidence" in said.out and "fgsm" in said.out and "draws=1" in said.out


@pytest.mark.parametrize("deidentify", [False, True])
def test_objects_for_other_viewers(deidentify: bool, medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    hd = pytest.importorskip("highdicom")
    mask = np.zeros((4, 16, 12), np.uint8)
    mask[:, 2:14, :10] = 1
    np.save(tmp_path / "mask.npy", mask)
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 400, "--region", tmp_path / "mask.npy"]
    said = medadv(*words, "--out", tmp_path / "o", "--objects", *(["--deidentify"] if deidentify else []))
    assert said.code == 0, said.err
    folder = tmp_path / "o" / "objects"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{n}.dcm" for n in ("difference", "picture", "region", "verdicts")
    ]
    derived = scan(tmp_path / "o" / "series")[0]
    clean, other, shown = decode(scan(ct)[0]), decode(derived), decode(scan(folder / "difference.dcm")[0])
    assert (shown.voxels == other.values() - clean.values()).all() and shown.scale.unit == "HU"
    assert np.allclose(shown.affine, clean.affine)
    assert (decode(scan(folder / "region.dcm")[0]).voxels == mask).all()
    groups = hd.sr.srread(folder / "verdicts.dcm").content.get_image_measurement_groups()
    before, after = (each.value for each in groups[0].get_measurements())
    assert before > 0.5 and after < before
    for path in folder.iterdir():
        header = pydicom.dcmread(path)
        assert header.StudyInstanceUID == derived.study_uid and header.SyntheticData == "YES"
        assert not deidentify or b"Doe" not in path.read_bytes()


def test_objects_that_cannot_be_made_are_named(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(900, 941, (16, 12)).astype(np.int16)
    write(dataset("CT", voxels=voxels, ImagePositionPatient=None), tmp_path / "ct" / "a.dcm")
    words = ["attack", tmp_path / "ct", "--model", model, "--conceal", "nodule", "--epsilon", 64]
    said = medadv(*words, "--out", tmp_path / "o", "--objects")
    assert said.code == 0 and "no difference: This image says neither where it lies" in said.out
    assert sorted(path.name for path in (tmp_path / "o" / "objects").iterdir()) == ["picture.dcm", "verdicts.dcm"]


def test_retakes_say_in_how_many_acquisitions_it_lasts(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    words = [
        "attack",
        ct,
        "--model",
        model,
        "--conceal",
        "nodule",
        "--epsilon",
        200,
        "--norm",
        "l2",
        "--attack",
        "kspace",
    ]
    said = medadv(*words, "--draws", 2, "--noise", 0.001, "--retakes", 3, "--out", tmp_path / "o", "--json")
    found = json.loads(said.out)
    assert found["reached"] and found["retakes"]["times"] == 3 and found["retakes"]["retake"]["noise"] == 0.001
    assert 0 <= found["retakes"]["reached"] <= 3
    assert "take at least 0" in medadv(*words, "--retakes", -1, "--out", tmp_path / "p").one_sentence()


def test_a_derived_series_is_compressed_as_its_source(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    for path in ct.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(pydicom.uid.RLELossless, ds.pixel_array, encoding_plugin="pydicom")
        ds.save_as(path)
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--syntax", "source"]
    said = medadv(*words, "--out", tmp_path / "o")
    assert said.code == 0 and "read back: same integers" in said.out
    for path in (tmp_path / "o" / "series").iterdir():
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == pydicom.uid.RLELossless


HEADERS: dict[str, dict[str, Any]] = {
    "no patient": dict.fromkeys(("PatientBirthDate", "PatientSex", "StudyTime", "ReferringPhysicianName", "StudyID")),
    "sex unknown": {"PatientSex": "U"},
    "side unknown": {"Laterality": "X"},
    "no thickness": {"SliceThickness": None},
}


@pytest.mark.parametrize("name", HEADERS)
def test_objects_of_headers_with_gaps(name: str, medadv: Medadv, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    voxels = np.random.default_rng(0).integers(900, 941, (16, 12)).astype(np.int16)
    write(dataset("CT", voxels=voxels, **HEADERS[name]), tmp_path / "ct" / "a.dcm")
    words = ["attack", tmp_path / "ct", "--model", model, "--conceal", "nodule", "--epsilon", 64]
    said = medadv(*words, "--out", tmp_path / "o", "--objects")
    assert said.code == 0 and "note" not in said.out
    assert len(list((tmp_path / "o" / "objects").iterdir())) == 3


def test_an_object_that_highdicom_refuses_costs_no_work(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ValueError("Doe^Jane is not a name")

    monkeypatch.setattr("napari_medadv.audit.objects.report", refused)
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16]
    said = medadv(*words, "--out", tmp_path / "o", "--objects")
    assert said.code == 0 and "no verdicts: the header of the series does not allow it (ValueError)" in said.out
    assert "Doe" not in said.out + said.err and len(list((tmp_path / "o" / "series").iterdir())) == 4


def test_replay_finds_its_own_volume_of_several_under_one_uid(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    for index in range(4):
        voxels = (834 + rng.integers(-20, 21, (16, 12))).astype(np.int16)
        write(dataset("CT", index, voxels=voxels, AcquisitionNumber=2), ct / f"b{index}.dcm")
    for number in (1, 2):
        out = tmp_path / f"o{number}"
        words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--series", number, "--out", out]
        assert medadv("attack", ct, *words).code == 0
        assert medadv("replay", out / "record.json").code == 0


def test_a_budget_below_what_float32_tells_apart_is_refused(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    card = (model / "model.toml").read_text().replace('"HU"', '"stored value"').replace("center = 0", "center = 3e9")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.toml").write_text(card)
    (tmp_path / "model" / "model.pt2").write_bytes((model / "model.pt2").read_bytes())
    voxels = (2_999_999_800 + np.random.default_rng(0).integers(-20, 21, (16, 12))).astype(np.uint32)
    write(dataset("CR", voxels=voxels), tmp_path / "cr" / "a.dcm")
    words = ["attack", tmp_path / "cr", "--model", tmp_path / "model", "--conceal", "nodule", "--attack", "pgd"]
    assert "256" in medadv(*words, "--epsilon", 100, "--out", tmp_path / "o").one_sentence()

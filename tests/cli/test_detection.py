"""calibrate and examine: what they say, what they return, and what they never say."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medadv.detect.examine import Evidence, Examination
from tests.cli.conftest import Medadv, Said
from tests.dicom.making import dataset, write


def series(folder: Path, number: int, *, noise: int = 20) -> Path:
    """Seven slices."""
    rng = np.random.default_rng(number)
    for index in range(7):
        voxels = (834 + rng.integers(-noise, noise + 1, (16, 12))).astype(np.int16)
        made = dataset("CT", index, voxels=voxels)
        made.SeriesInstanceUID = f"1.2.3.{number}"
        made.SOPInstanceUID = f"1.2.3.{number}.{index}"
        write(made, folder / f"{number}" / f"{index}.dcm")
    return folder / f"{number}"


@pytest.fixture
def reference(medadv: Medadv, model: Path, tmp_path: Path) -> Path:
    for number in range(1, 25):
        series(tmp_path / "clean", number)
    said = medadv(
        "calibrate", tmp_path / "clean", "--model", model, "--reference", tmp_path / "r.json", "--detector", "squeeze"
    )
    assert said.code == 0 and "24 clean series calibrate squeeze" in said.out, said.err
    return tmp_path / "r.json"


@pytest.fixture
def examined(medadv: Medadv, model: Path, reference: Path, tmp_path: Path) -> Callable[..., Said]:
    """What `medadv examine` says of a series that squeeze looks at."""

    def run(number: int, *more: object, noise: int = 20) -> Said:
        folder = series(tmp_path / "examined", number, noise=noise)
        words = ("--model", model, "--reference", reference, "--detector", "squeeze")
        return medadv("examine", folder, *words, *more)

    return run


def test_a_suspicious_series_is_exit_code_3_and_its_region_a_segmentation(
    examined: Callable[..., Said], tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    said = examined(99, "--seg", tmp_path / "seg.dcm", noise=800)
    assert said.code == 3 and "Suspicious: squeeze" in said.out and "clean" not in said.out.split("(")[0], said.err
    region = pydicom.dcmread(tmp_path / "seg.dcm")
    assert region.Modality == "SEG" and region.SyntheticData == "YES" and "squeeze" in region.DerivationDescription
    assert 0 < region.pixel_array.sum() <= 0.02 * 7 * 16 * 12
    assert "exists already" in examined(99, "--seg", tmp_path / "seg.dcm", noise=800).one_sentence()


def test_nothing_found_is_not_called_clean(examined: Callable[..., Said], tmp_path: Path) -> None:
    said = examined(77, "--rate", 0.05, "--seg", tmp_path / "seg.dcm", "--json")
    found = json.loads(said.out)
    if found["suspicious"]:
        assert said.code == 3
        return
    assert said.code == 0 and not (tmp_path / "seg.dcm").exists() and found["unseen"]
    assert "would pass unseen" in examined(77, "--rate", 0.05).out


def test_what_the_files_say_is_told_with_and_without_a_reference(
    medadv: Medadv, examined: Callable[..., Said], tmp_path: Path
) -> None:
    assert "what the files say: All files name a scanner" in examined(77).out
    folder = series(tmp_path / "marked", 60)
    for path in folder.rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        ds.SyntheticData = "YES"
        ds.save_as(path)
    said = medadv("examine", folder)
    assert said.code == 0 and "No verdict" in said.out and "marked as synthetic" in said.out
    found = json.loads(medadv("examine", folder, "--json").out)
    assert found["suspicious"] is None and "marked as synthetic" in found["headers"][0]
    assert "--reference" in medadv("examine", folder, "--detector", "squeeze").one_sentence()
    assert "--model" in medadv("examine", folder, "--reference", tmp_path / "r.json").one_sentence()


def test_a_rate_that_the_reference_cannot_show_is_refused(examined: Callable[..., Said]) -> None:
    assert "at least 99" in examined(77, "--rate", 0.01).one_sentence()
    assert "no detector 'flip'" in examined(77, "--detector", "flip").one_sentence()


def test_a_class_that_is_no_detector_is_refused(
    medadv: Medadv, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_detector.py").write_text("class Mine:\n    needs = ('nothing',)\n    evaded_by = 'all'\n")
    monkeypatch.syspath_prepend(tmp_path)
    words = ["--model", model, "--reference", tmp_path / "r.json", "--detector", "own_detector:Mine"]
    said = medadv("calibrate", series(tmp_path, 1), *words)
    assert (
        said.code == 2 and "it lacks weight, passes, __call__: add" in said.err and not (tmp_path / "r.json").exists()
    )


def test_a_verdict_says_over_which_detectors_it_was_taken() -> None:
    one = Evidence("squeeze", 1.0, 0.5, 24, True, (0,))
    found = Examination(
        (one,), 0.5, 0.05, (0.01, 0.2), ("mahalanobis was not run: x.",), ("smooth changes",), ("mahalanobis",)
    )
    assert "squeeze (mahalanobis could not be run and is not part of this)" in found.sentence


def test_a_reference_knows_its_card(
    medadv: Medadv, model: Path, reference: Path, examined: Callable[..., Said], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.pt2").write_bytes((model / "model.pt2").read_bytes())
    card = (model / "model.toml").read_text()
    (other / "model.toml").write_text(card.replace("width = 2000", "width = 400"))
    folder = series(tmp_path / "examined", 60)
    words = ["--reference", reference, "--detector", "squeeze"]
    assert medadv("examine", folder, "--model", model, *words).code in (0, 3)
    assert "another card" in medadv("examine", folder, "--model", other, *words).one_sentence()


def test_a_reference_takes_the_place_of_no_other_file(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    for number in range(1, 7):
        folder = series(tmp_path / "clean", number)
    source = folder / "3.dcm"
    before = source.read_bytes()
    words = ["calibrate", tmp_path / "clean", "--model", model, "--detector", "squeeze", "--reference"]
    assert "no reference" in medadv(*words, source).one_sentence() and source.read_bytes() == before
    assert "is not there" in medadv(*words, tmp_path / "nowhere" / "r.json").one_sentence()
    assert medadv(*words, tmp_path / "r.json").code == 0 and medadv(*words, tmp_path / "r.json").code == 0


def test_what_says_that_it_is_adversarial_is_not_clean(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    for number in range(1, 7):
        folder = series(tmp_path / "clean", number)
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "o"]
    assert medadv("attack", folder, *words).code == 0
    (tmp_path / "o" / "series").rename(tmp_path / "clean" / "again")
    said = medadv("calibrate", tmp_path / "clean", "--model", model, "--reference", tmp_path / "r.json")
    assert "adversarial test images" in said.one_sentence() and not (tmp_path / "r.json").exists()


def test_the_order_of_files_decides_nothing(tmp_path: Path) -> None:
    """Patients stay whole, and those of one folder come on both sides."""
    from napari_medadv.audit.detection.cohort import shuffled
    from napari_medadv.dicom import scan

    for number in range(1, 21):
        folder = series(tmp_path / ("a" if number <= 10 else "b"), number)
        for path in folder.iterdir():
            ds = pydicom.dcmread(path)
            ds.PatientID = f"P{number // 2}"
            ds.save_as(path)
    found = scan(tmp_path).series
    mixed = shuffled(found)
    first = {Path(each.instances[0].path).parent.parent.name for each in mixed[:8]}
    assert first == {"a", "b"} and mixed == shuffled(tuple(reversed(found))) and set(mixed) == set(found)
    who = [pydicom.dcmread(each.instances[0].path).PatientID for each in mixed]
    assert sum(one != other for one, other in pairwise(who)) == len(set(who)) - 1


def test_the_verdict_is_told_where_no_region_can_be(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    for number in range(1, 25):
        series(tmp_path / "clean", number)
    words = ["--model", model, "--reference", tmp_path / "r.json", "--detector", "noise_margin"]
    assert medadv("calibrate", tmp_path / "clean", *words).code == 0
    folder = series(tmp_path / "examined", 99, noise=800)
    said = medadv("examine", folder, *words, "--rate", 0.99, "--seg", tmp_path / "seg.dcm")
    assert said.code == 3 and "Suspicious: noise_margin" in said.out, said.err
    assert "seg.dcm was not written: No detector that was run says where" in said.out
    for place in (tmp_path / "absent" / "seg.dcm", tmp_path / ("x" * 300)):
        assert "--seg" in medadv("examine", folder, *words, "--seg", place).one_sentence()


def test_a_region_that_the_disk_refuses_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_medadv.audit import region
    from napari_medadv.dicom import scan
    from napari_medadv.errors import OutputError

    class Torn:
        def save_as(self, path: Path, **_: object) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(region, "segmentation", lambda *_: Torn())
    there = np.ones((7, 16, 12), np.float32)
    found = Examination((Evidence("squeeze", 1.0, 0.01, 99, 1.0, (0,), there),), 0.01, 0.05, (0.0, 0.1), (), ())
    source = scan(series(tmp_path / "source", 1))[0]
    with pytest.raises(OutputError, match="No space left"):
        region.write_region(found, "m", source, tmp_path / "seg.dcm")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    (tmp_path / "seg.dcm").write_bytes(b"of somebody else")
    with pytest.raises(OutputError, match="exists already"):
        region.write_region(found, "m", source, tmp_path / "seg.dcm")
    assert (tmp_path / "seg.dcm").read_bytes() == b"of somebody else"


def test_series_without_preamble_calibrate(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    for number in range(1, 7):
        for path in series(tmp_path / "clean", number).iterdir():
            path.write_bytes(path.read_bytes()[132:])
    words = ["--model", model, "--reference", tmp_path / "r.json", "--detector", "squeeze"]
    said = medadv("calibrate", tmp_path / "clean", *words)
    assert said.code == 0, said.err


def test_several_series_of_one_patient_are_said_to_be_few(medadv: Medadv, model: Path, tmp_path: Path) -> None:
    for number in range(1, 7):
        for path in series(tmp_path / "clean", number).iterdir():
            made = pydicom.dcmread(path)
            made.PatientID = f"P{number % 3}"
            made.save_as(path)
    words = ["--model", model, "--reference", tmp_path / "r.json", "--detector", "squeeze"]
    said = medadv("calibrate", tmp_path / "clean", *words)
    assert said.code == 0 and "The 6 series are of 3 patients" in said.out, said.err

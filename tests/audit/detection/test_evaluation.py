"""evaluate-detectors: cohort, scores that are kept, figures, tables and the page, on a small folder of CT slices."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from napari_medadv import decode
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.audit.detection import Cohort, cohort, default_cases, evaluate, figures
from napari_medadv.audit.detection.cases import HOSTILE, Attacked, Control, Evading, Processed, Scene
from napari_medadv.audit.detection.controls import CONTROLS
from napari_medadv.audit.detection.evaluate import read_evaluation
from napari_medadv.audit.detection.figures import POOLED
from napari_medadv.audit.detection.page import page
from napari_medadv.audit.detection.rates import area, bootstrapped, caught, curve
from napari_medadv.audit.detection.table import facts, markdown, write_tables
from napari_medadv.detect.alignment import Alignment
from napari_medadv.detect.flip import Flip
from napari_medadv.detect.mahalanobis import Mahalanobis
from napari_medadv.detect.squeeze import Squeeze
from napari_medadv.errors import Cancelled, DetectorError, OutputError, SeriesError
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.volume import Volume
from tests.cli.conftest import Brightness, Medadv, Said, medadv  # noqa: F401
from tests.detect.scenes import volume
from tests.dicom.making import dataset, write
from tests.model.networks import export, write_card

DETECTORS = (Squeeze(filters=("median", "gaussian")), Alignment())
CASES = (Control("random noise"), Control("JPEG 2000"), Attacked("FGSM 8", FGSM(), 8), Evading("adaptive", 8, (), 2))
PATIENT = "Doe^Jane"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty series of one slice, of twenty patients, near the decision of the small model."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for index in range(30):
        voxels = (824 + rng.integers(-9, 10) + rng.integers(-20, 21, (16, 12))).astype(np.int16)
        made = dataset("CT", index, voxels=voxels)
        made.SeriesInstanceUID, made.StudyInstanceUID = f"1.2.3.{index}", f"1.2.4.{index}"
        made.PatientID, made.PatientName = f"secret-{index % 20}", PATIENT
        write(made, folder / "series" / f"{index}.dcm")
    return folder / "series"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    export(Brightness(), folder / "model.pt2", (1, 16, 12))
    steps = (
        '[[preprocess]]\nstep = "window"\ncenter = 0\nwidth = 2000\n[[preprocess]]\nstep = "resize"\nsize = [16, 12]\n'
    )
    write_card(folder, steps, labels='["nodule"]', activation='"sigmoid"', weights='"model.pt2"')
    return folder / "model.pt2"


@pytest.fixture(scope="module")
def people(images: Path) -> Cohort:
    return cohort(images, clean=15)


def test_no_patient_is_learnt_from_and_examined(people: Cohort) -> None:
    known, others = ({image.patient for image in part} for part in (people.reference, people.examined))
    assert not known & others and len(people.reference) <= 15 and others


def test_a_table_names_what_counts(images: Path, tmp_path: Path) -> None:
    rows = ["file,patient,split", *(f"{images}/{i}.dcm,p{i},{'test' if i < 20 else 'train'}" for i in range(30))]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    found = cohort(images, tmp_path / "table.csv", split="test", clean=10)
    assert len(found.reference) + len(found.examined) == 20
    for table, split, why in (
        ("table.csv", "none", "None of the .* among the 0 rows with the split 'none'"),
        ("absent.csv", "", "cannot be read"),
    ):
        with pytest.raises(SeriesError, match=why):
            cohort(images, tmp_path / table, split=split, clean=10)
    with pytest.raises(SeriesError, match="--clean 5 or more"):
        cohort(images, clean=4)


def test_a_run_that_was_stopped_goes_on_and_ends_the_same(people: Cohort, weights: Path, tmp_path: Path) -> None:
    asked = load_classifier(str(weights))
    whole = evaluate(people, asked, DETECTORS, CASES, tmp_path / "whole", attacked=4, evading=1)

    def stop(share: float, words: str) -> None:
        if share > 0.6:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        evaluate(people, asked, DETECTORS, CASES, tmp_path / "parts", attacked=4, evading=1, progress=stop)
    kept = len((tmp_path / "parts" / "scores.jsonl").read_text().splitlines())
    again = evaluate(people, asked, DETECTORS, CASES, tmp_path / "parts", attacked=4, evading=1)
    assert 0 < kept < len(whole.rows) and again.rows == whole.rows
    text = "".join(path.read_text() for path in (tmp_path / "whole").iterdir())
    assert "secret" not in text and "Doe" not in text and "1.2.3." not in text
    with pytest.raises(DetectorError, match="another classifier"):
        evaluate(people, asked, DETECTORS, CASES, tmp_path / "whole", seed=1)
    with pytest.raises(DetectorError, match="other things"):
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "notes.txt").touch()
        evaluate(people, asked, DETECTORS, CASES, tmp_path / "full")


def test_images_that_had_a_part_in_a_choice_are_not_attacked(people: Cohort, weights: Path, tmp_path: Path) -> None:
    asked = load_classifier(str(weights))
    found = evaluate(people, asked, DETECTORS, CASES[:3], tmp_path, skip=3, attacked=2)
    rows = {kind: [row.image for row in found.rows if row.kind == kind] for kind in ("clean", "control", "attack")}
    assert len(rows["clean"]) == len(people.examined) and set(rows["attack"]) == set(rows["control"])
    assert list(dict.fromkeys(rows["attack"])) == rows["clean"][3:5]


class Largest:
    """A peer without any learning: the largest stored value."""

    name = "largest"

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """Nothing."""

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """The score."""
        return float(volume.voxels.max())


def test_peers_named_later_score_what_is_kept_and_cases_do_not_change(
    people: Cohort, weights: Path, tmp_path: Path
) -> None:
    asked = load_classifier(str(weights))
    before = evaluate(people, asked, DETECTORS, CASES[:3], tmp_path, attacked=4)
    assert not any("largest" in row.scores for row in before.rows)
    after = evaluate(people, asked, DETECTORS, CASES[:3], tmp_path, attacked=4, peers=(Largest(),))
    due = [row for row in after.rows if row.reached]
    assert {row.kind for row in due} >= {"clean", "control", "attack"}
    assert len(after.rows) == len(before.rows) and all("largest" in row.scores for row in due)
    with pytest.raises(DetectorError, match="FGSM 8 with other settings"):
        evaluate(people, asked, DETECTORS, (Attacked("FGSM 8", FGSM(), 9),), tmp_path)


def test_figures_tables_and_page(people: Cohort, weights: Path, tmp_path: Path) -> None:
    asked = load_classifier(str(weights))
    found = evaluate(people, asked, DETECTORS, CASES, tmp_path, attacked=6, evading=1)
    few = figures(found)
    assert found.reference.count < 19 and "5 % needs at least 19 clean images" in few.skipped[-1]
    assert not any(line.flagged or line.unseen for line in few.lines)
    made = figures(found, level=0.2)
    assert made.fused == ("squeeze", "alignment") and made.clean == len(people.examined)
    attack = made.line("FGSM 8")
    hits = [row for row in found.rows if row.case == "FGSM 8" and row.reached]
    assert attack.images == 6 and attack.reached == len(hits) > 2
    assert attack.area is not None and attack.area.low <= attack.area.value <= attack.area.high
    clean = np.array([row.scores["squeeze"] for row in found.rows if row.case == "clean"])
    by_hand = area(np.array([row.scores["squeeze"] for row in hits]), clean)
    squeeze = made.line("FGSM 8", "squeeze").area
    assert squeeze is not None and squeeze.value == by_hand
    noise = made.line("random noise").flagged
    assert noise is not None and noise.total == 6
    write_tables(made, tmp_path)
    rows = list(csv.DictReader((tmp_path / "detectors.csv").read_text().splitlines()))
    assert len(rows) == len(made.lines)
    assert {row["case"] for row in rows} == {"clean", *(case.name for case in CASES), POOLED}
    every = made.line(POOLED, "squeeze")
    assert every.area == squeeze and every.reached == attack.reached
    benign = np.array([row.scores["squeeze"] for row in found.rows if row.kind == "control"])
    for line in (every, made.line("FGSM 8", "squeeze")):
        assert line.benign is not None
        assert line.benign.value == area(np.array([row.scores["squeeze"] for row in hits]), benign)
    assert made.line("random noise").area is not None and made.line("random noise").benign is None
    assert "| FGSM 8 |" in markdown(made) and json.loads(json.dumps(facts(made)))["clean"] == made.clean
    text = page(made)
    assert text.count("<svg") >= 3 and not re.search(r"(src|href)=|https?://|secret|Doe", text)
    assert read_evaluation(tmp_path, asked, DETECTORS).rows == found.rows


def test_a_detector_that_fails_on_the_case_is_left_out_of_it(people: Cohort, weights: Path, tmp_path: Path) -> None:
    found = evaluate(
        people, load_classifier(str(weights)), DETECTORS, [Evading("adaptive", 8, ("knn",))], tmp_path, attacked=1
    )
    assert [sentence for sentence in found.skipped if "knn" in sentence]
    assert all(row.case == "clean" for row in found.rows)


def test_rates_by_hand() -> None:
    suspicious, clean = np.array([3.0, 2.0, 1.0]), np.array([0.0, 1.0, 2.0, 0.5])
    assert area(suspicious, clean) == (4 + 3.5 + 2.5) / 12
    assert caught(suspicious, clean, 0.0) == caught(suspicious, clean, 0.2) == 1 / 3
    assert caught(suspicious, clean, 0.25) == 2 / 3
    assert curve(suspicious, clean)[0] == (0.0, 0.0) and curve(suspicious, clean)[-1] == (1.0, 1.0)
    found = bootstrapped(area, suspicious, [0, 1, 2], clean, [0, 1, 2, 3])
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("scene", ["grey", "colour", "stack"])
def test_controls_change_a_little_and_stay_within_what_can_be_stored(name: str, scene: str) -> None:
    clean = volume(scene, 3, size=48)
    changed = CONTROLS[name](clean, 5)
    low, high = clean.window.limits
    difference = np.abs(changed.voxels.astype(int) - clean.voxels)
    assert changed.voxels.dtype == clean.voxels.dtype and changed.voxels.shape == clean.voxels.shape
    assert 0 < difference.mean() < 0.1 * (high - low) / clean.scale.quantum.min()
    assert np.array_equal(changed.voxels, CONTROLS[name](clean, 5).voxels)


def test_default_cases_have_names_of_their_own() -> None:
    cases = default_cases()
    assert len({case.name for case in cases}) == len(cases)
    assert {case.kind for case in cases} == {"control", *HOSTILE}
    assert not [case for case in default_cases(evaded=()) if case.kind == "adaptive"]
    twice = [case.name for case in default_cases((2, 2))]
    assert len(set(twice)) == len(twice)
    for grey in (0, -1, float("nan"), 1e9):
        with pytest.raises(DetectorError, match="grey levels was given"):
            default_cases((2, grey))


@pytest.mark.parametrize("control", ["JPEG 2000", "random noise 4"])
def test_a_processed_attack_is_changed_after_it_and_judged_in_the_end(
    people: Cohort, weights: Path, tmp_path: Path, control: str
) -> None:
    classifier = load_classifier(str(weights))
    attack = Attacked("FGSM 8", FGSM(), 8)
    case = Processed(f"attacked 8, then {control}", attack, control)
    found = evaluate(people, classifier, DETECTORS, (attack, case), tmp_path, attacked=4, evading=0)
    line = figures(found).line(case.name)
    assert line.kind == "processed" and line.images == 4
    assert case.name in page(figures(found)) and f"| {case.name} | {line.reached} of 4 |" in markdown(figures(found))
    scene = Scene(classifier, {}, found.reference)
    for image in people.examined[:4]:
        clean = decode(image.series)
        done = case(clean, scene, 3)
        alone = attack(clean, scene, 3).volume
        assert np.array_equal(done.volume.voxels, CONTROLS[control](alone, 3).voxels)
        assert not np.array_equal(done.volume.voxels, alone.voxels)
        assert done.reached == (classifier.predict(done.volume).present != classifier.predict(clean).present)


def test_a_detector_that_no_adversary_climbs_is_named(people: Cohort, weights: Path, tmp_path: Path) -> None:
    adaptive = [case for case in default_cases((8,), steps=1, evaded=["flip"]) if case.kind == "adaptive"]
    found = evaluate(people, load_classifier(str(weights)), [Flip()], adaptive, tmp_path, attacked=1, evading=1)
    assert len(found.skipped) == len(adaptive) == 2 and "climbs flip" in found.skipped[0]


def test_the_command(medadv: Medadv, images: Path, weights: Path, tmp_path: Path) -> None:  # noqa: F811
    def said_by(out: str, *more: str) -> Said:
        words = (
            "--detector",
            "alignment",
            "--clean",
            12,
            "--attacked",
            3,
            "--evading",
            0,
            "--steps",
            2,
            "--epsilon",
            8,
        )
        return medadv("evaluate-detectors", images, "--model", weights, *words, "--out", tmp_path / out, *more)

    cases = ("--case", "FGSM", "--case", "noise", "--case", "transfer", "--surrogate", str(weights))
    said = said_by("out", *cases)
    assert said.code == 0 and "| FGSM 8 |" in said.out and "| transfer 8 |" in said.out, said.err
    assert str(weights) not in (tmp_path / "out" / "settings.json").read_text()
    assert (tmp_path / "out" / "detectors.html").exists() and (tmp_path / "out" / "detectors.csv").exists()
    again = said_by("out", *cases, "--only-report", "--json")
    assert again.code == 0 and json.loads(again.out)["detectors"] == ["alignment"]
    assert "choose among" in said_by("b", "--case", "nothing").one_sentence()


def test_mahalanobis_of_the_small_model_says_why_it_cannot_run(people: Cohort, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(DetectorError):
        evaluate(people, load_classifier(str(weights)), [Mahalanobis()], CASES, tmp_path, attacked=1)


def test_a_damaged_folder_of_scores_is_named(people: Cohort, weights: Path, tmp_path: Path) -> None:
    asked = load_classifier(str(weights))
    before = evaluate(people, asked, DETECTORS, (), tmp_path, examined=2)
    held = (tmp_path / "scores.jsonl").read_text()
    torn = {**json.loads(held.splitlines()[0]), "case": "x", "scores": None}
    (tmp_path / "scores.jsonl").write_text(held + json.dumps(torn) + "\n")
    assert read_evaluation(tmp_path, asked, DETECTORS).rows == before.rows
    (tmp_path / "settings.json").write_text("[]")
    with pytest.raises(OutputError, match="settings are damaged"):
        evaluate(people, asked, DETECTORS, (), tmp_path)

"""calibrate and examine: what they say, what they return, and what they never say."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medadv.detect.examine import Evidence, Examination
from tests.cli.conftest import Medadv
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


def test_a_suspicious_series_is_exit_code_3_and_its_region_a_segmentation(
    medadv: Medadv, model: Path, reference: Path, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom")
    odd = series(tmp_path / "odd", 99, noise=800)
    said = medadv(
        "examine",
        odd,
        "--model",
        model,
        "--reference",
        reference,
        "--detector",
        "squeeze",
        "--seg",
        tmp_path / "seg.dcm",
    )
    assert said.code == 3 and "Suspicious: squeeze" in said.out and "clean" not in said.out.split("(")[0], said.err
    region = pydicom.dcmread(tmp_path / "seg.dcm")
    assert region.Modality == "SEG" and region.SyntheticData == "YES" and "squeeze" in region.DerivationDescription
    assert 0 < region.pixel_array.sum() <= 0.02 * 7 * 16 * 12
    again = medadv(
        "examine",
        odd,
        "--model",
        model,
        "--reference",
        reference,
        "--detector",
        "squeeze",
        "--seg",
        tmp_path / "seg.dcm",
    )
    assert "exists already" in again.one_sentence()


def test_nothing_found_is_not_called_clean(medadv: Medadv, model: Path, reference: Path, tmp_path: Path) -> None:
    usual = series(tmp_path / "usual", 77)
    words = ["examine", usual, "--model", model, "--reference", reference, "--detector", "squeeze", "--rate", 0.05]
    said = medadv(*words, "--seg", tmp_path / "seg.dcm", "--json")
    found = json.loads(said.out)
    if found["suspicious"]:
        assert said.code == 3
        return
    assert said.code == 0 and not (tmp_path / "seg.dcm").exists() and found["unseen"]
    assert "would pass unseen" in medadv(*words).out


def test_a_rate_that_the_reference_cannot_show_is_refused(
    medadv: Medadv, model: Path, reference: Path, tmp_path: Path
) -> None:
    words = [
        "examine",
        series(tmp_path / "usual", 77),
        "--model",
        model,
        "--reference",
        reference,
        "--detector",
        "squeeze",
    ]
    assert "at least 99" in medadv(*words, "--rate", 0.01).one_sentence()
    assert "no detector 'flip'" in medadv(*words, "--detector", "flip").one_sentence()


def test_a_verdict_says_over_which_detectors_it_was_taken() -> None:
    one = Evidence("squeeze", 1.0, 0.5, 24, True, (0,))
    found = Examination(
        (one,), 0.5, 0.05, (0.01, 0.2), ("mahalanobis was not run: x.",), ("smooth changes",), ("mahalanobis",)
    )
    assert "squeeze (mahalanobis could not be run and is not part of this)" in found.sentence

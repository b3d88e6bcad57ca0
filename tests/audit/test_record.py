import json
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.attacks import perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.repeated import Repeated
from napari_medadv.attacks.universal import Universal
from napari_medadv.audit.fingerprint import differing, fingerprint
from napari_medadv.audit.panel import picture, write_panel
from napari_medadv.audit.provenance import derivation_text
from napari_medadv.audit.record import Attachment, read_record, record_of
from napari_medadv.audit.threat_json import threat_json, threat_of
from napari_medadv.errors import RecordError
from napari_medadv.measure import distortion
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L0, Conceal, Confuse, Fabricate, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume


def colour() -> Volume:
    rng = np.random.default_rng(0)
    return Volume(rng.integers(50, 200, (2, 9, 8, 3)).astype(np.uint8), np.eye(4), Scale("level", 0, 255), placed=False)


@pytest.mark.parametrize("goal", [Conceal("a"), Fabricate("b"), Confuse()])
def test_a_threat_survives_json(goal: Conceal | Fabricate | Confuse) -> None:
    mask = np.random.default_rng(0).random((3, 5, 7)) < 0.5
    found = threat_of(json.loads(json.dumps(threat_json(Threat(goal, L0(7, 3.5), Region(mask, (0, 2))), "HU"))))
    assert found.goal == goal and found.budget == L0(7, 3.5) and found.region.slices == (0, 2)
    assert found.region.mask is not None and np.array_equal(found.region.mask, mask)


def test_the_record_of_a_colour_attack_is_read_again_and_drawn(tmp_path: Path) -> None:
    volume = colour()
    classifier = Classifier(
        lambda values: (values.flatten(1).mean(dim=1, keepdim=True) - 100) * 0.1, Findings(("a",), "sigmoid"), "level"
    )
    found = perturb(classifier, volume, Threat(Conceal("a"), Linf(60)), FGSM())
    size = distortion(found.clean, found.adversarial)
    record = record_of(found, size, classifier, Attachment("model.pt2"))
    record.write(tmp_path / "record.json")
    again = read_record(tmp_path / "record.json")
    assert again.json() == record.json() and again.attack == FGSM()
    assert record.result["distortion"]["ssim"] is None, "too small for a structure"
    assert tuple(record.result["sha256"]) == fingerprint(found.adversarial)
    write_panel(found, size, tmp_path / "panel.png")
    assert (tmp_path / "panel.png").stat().st_size > 1000
    assert len(derivation_text(found, classifier)) <= 1024


def test_the_header_does_not_name_the_folders_of_the_files_that_an_attack_read(tmp_path: Path) -> None:
    volume, file = colour(), tmp_path / "doe_john" / "one.npz"
    classifier = Classifier(
        lambda values: (values.flatten(1).mean(dim=1, keepdim=True) - 100) * 0.1, Findings(("a",), "sigmoid"), "level"
    )
    file.parent.mkdir()
    found = perturb(classifier, volume, Threat(Conceal("a"), Linf(60)), Universal(keep=str(file)))
    again = perturb(classifier, volume, Threat(Conceal("a"), Linf(60)), Repeated(str(file)))
    for one in (found, again):
        words = derivation_text(one, classifier)
        assert "'one.npz'" in words and "doe" not in words
        assert str(one.attack).count("doe_john") == 1, "the result itself says what was asked for"


def test_a_fingerprint_is_of_every_slice() -> None:
    volume = colour()
    voxels = volume.voxels.copy()
    voxels[1, 0, 0, 0] += 1
    assert differing(fingerprint(volume), fingerprint(volume.with_voxels(voxels))) == 1
    assert differing(fingerprint(volume), fingerprint(volume)[:1]) == 2


def test_monochrome1_is_shown_right_and_the_front_of_the_patient_on_top() -> None:
    voxels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 1, -1, 1, 1
    plain = Volume(voxels, affine, Scale("stored value", 0, 11))
    assert picture(plain, 0)[0, 0] == pytest.approx(8 / 11), "rows run to the front, so they are turned"
    dark = Volume(voxels, np.eye(4), Scale("stored value", 0, 11), photometric="MONOCHROME1", placed=False)
    assert picture(dark, 0)[0, 0] == pytest.approx(1)


def test_a_label_with_dollar_signs_is_drawn(tmp_path: Path) -> None:
    label = r"a $\frac$ b"
    classifier = Classifier(
        lambda values: (values.flatten(1).mean(dim=1, keepdim=True) - 100) * 0.1, Findings((label,), "sigmoid"), "level"
    )
    found = perturb(classifier, colour(), Threat(Conceal(label), Linf(60)), FGSM())
    write_panel(found, distortion(found.clean, found.adversarial), tmp_path / "panel.png")
    assert (tmp_path / "panel.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("versions", "threads", "x"),
        ("versions", "threads", 0),
        ("source", "path", 5),
        ("source", "series_uid", None),
        ("classifier", "weights", {}),
        ("classifier", "device", 5),
        ("result", "sha256", None),
        ("threat", "region", {"slices": None, "mask": {"shape": [1, 1, 1], "zlib of packed bits": "AAAA"}}),
        ("threat", "region", {"slices": [1e400], "mask": None}),
    ],
)
def test_a_damaged_record_is_a_sentence(part: str, name: str, value: object, tmp_path: Path) -> None:
    classifier = Classifier(
        lambda values: (values.flatten(1).mean(dim=1, keepdim=True) - 100) * 0.1, Findings(("a",), "sigmoid"), "level"
    )
    found = perturb(classifier, colour(), Threat(Conceal("a"), Linf(60)), FGSM())
    record = record_of(found, distortion(found.clean, found.adversarial), classifier, Attachment("model.pt2"))
    words = record.json()
    words[part][name] = value
    (tmp_path / "record.json").write_text(json.dumps(words))
    with pytest.raises(RecordError, match=r"record\.json is damaged"):
        read_record(tmp_path / "record.json")

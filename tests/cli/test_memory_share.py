"""--memory-share 0: everything from loading to replay with volumes in files, and the same bytes as in memory."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.dicom import decode, scan
from napari_medadv.measure import distortion, signed_difference
from napari_medadv.model import load_classifier
from napari_medadv.room import SHARE, Room, mapped
from napari_medadv.slicewise import Slicewise
from napari_medadv.threat import Conceal, Linf, Threat
from tests.cli.conftest import Medadv


def test_attack_and_replay_give_the_same_bytes_from_files(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path
) -> None:
    words = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16]
    said = medadv(*words, "--memory-share", "0", "--out", tmp_path / "mapped")
    assert said.code == 0 and "read back: same integers, still concealed" in said.out
    assert SHARE not in os.environ
    assert medadv(*words, "--out", tmp_path / "whole").code == 0
    results = [json.loads((tmp_path / name / "record.json").read_text())["result"] for name in ("mapped", "whole")]
    assert results[0] == results[1]
    assert medadv("replay", tmp_path / "mapped" / "record.json", "--memory-share", "0").code == 0


@pytest.mark.parametrize("share", ["2", "-1", "much"])
def test_a_share_that_is_none_is_a_sentence(medadv: Medadv, ct: Path, model: Path, share: str) -> None:
    assert "--memory-share is" in medadv("predict", ct, "--model", model, f"--memory-share={share}").one_sentence()


def test_what_an_attack_makes_of_a_mapped_volume_is_mapped(ct: Path, model: Path) -> None:
    (series,) = scan(ct)
    clean, whole = decode(series, room=Room(0)), decode(series)
    assert mapped(clean.voxels) and not clean.voxels.flags.writeable and not mapped(whole.voxels)
    assert np.array_equal(clean.voxels, whole.voxels)
    threat = Threat(Conceal("nodule"), Linf(16.0))
    found, same = (perturb(load_classifier(model), each, threat, PGD(steps=5)) for each in (clean, whole))
    assert mapped(found.adversarial.voxels)
    assert np.array_equal(found.adversarial.voxels, same.adversarial.voxels)
    lazy, plain = (signed_difference(each.clean, each.adversarial) for each in (found, same))
    assert isinstance(lazy.values, Slicewise) and np.array_equal(lazy.values, plain.values)
    assert (lazy.largest, lazy.strongest) == (plain.largest, plain.strongest)
    assert distortion(found.clean, found.adversarial) == distortion(same.clean, same.adversarial)

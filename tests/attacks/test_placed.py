"""Patches lie where they were put, universal perturbations are one, smooth ones are smooth, surrogates stand in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.attacks import transfer as transfer_module
from napari_medadv.attacks.low_frequency import LowFrequency
from napari_medadv.attacks.natural_patch import NaturalPatch
from napari_medadv.attacks.noise_shaped import NoiseShaped, local_noise
from napari_medadv.attacks.pasted import Pasted
from napari_medadv.attacks.patch import Patch
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.shape import Shape, inside
from napari_medadv.attacks.transfer import Transfer
from napari_medadv.attacks.universal import Universal
from napari_medadv.errors import AttackError, OutputError
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L0, Conceal, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume


def case(seed: int = 0, noise: float = 0.0) -> tuple[Classifier, Volume]:
    """Four slices of 20 x 30 pixels of 2 x 1 mm; the classifier sees a smooth weighted mean (plus a rough part)."""
    rng = np.random.default_rng(3)
    voxels = rng.integers(995, 1006, (4, 20, 30)).astype(np.uint16)
    volume = Volume(voxels, np.diag([3.0, 2.0, 1.0, 1.0]), Scale("stored value", 0, 4095))
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 20), torch.linspace(-1, 1, 30), indexing="ij")
    weight = 0.002 * torch.cos(rows + columns) + noise * torch.randn(
        (20, 30), generator=torch.Generator().manual_seed(seed)
    )
    bias = 1.0 - (1000 * weight).sum()

    def network(values: Tensor) -> Tensor:
        return (values[:, 0] * weight).sum(dim=(1, 2))[:, None] + bias

    return Classifier(network, Findings(("a",), "sigmoid"), "stored value"), volume


def test_a_patch_of_a_size_in_mm_lies_at_the_point() -> None:
    classifier, volume = case()
    attack = Patch(steps=20, size=12, unit="mm", place=(0.5, 0.25))
    found = perturb(classifier, volume, Threat(Conceal("a"), L0(600)), attack)
    changed = found.adversarial.voxels != volume.voxels
    rows, columns = np.nonzero(changed.any(axis=0))
    assert 11 <= np.ptp(columns) + 1 <= 13 and 5 <= np.ptp(rows) + 1 <= 7
    assert abs(columns.mean() - 7.5) < 1 and abs(rows.mean() - 10) < 1


@pytest.mark.parametrize("degrees", [0.0, 60.0])
def test_a_natural_patch_is_turned(degrees: float) -> None:
    classifier, volume = case()
    ramp = volume.with_voxels(np.broadcast_to(np.arange(1000, 1030, dtype=np.uint16), volume.shape).copy())
    attack = NaturalPatch(draws=1, size=10, unit="mm", place=(0.5, 0.5), degrees=degrees)
    found = perturb(classifier, ramp, Threat(Conceal("a"), L0(600)), attack, seed=1)
    middle = found.adversarial.voxels[0, 9:12, 13:18].astype(int)
    upright = bool((middle == middle[0]).all())
    assert upright == (degrees == 0) and not np.array_equal(found.adversarial.voxels, ramp.voxels)


def test_the_trained_patch_beats_the_natural_one() -> None:
    classifier, volume = case()
    threat = Threat(Conceal("a"), L0(600))
    trained, natural = (
        perturb(classifier, volume, threat, attack)
        for attack in (Patch(steps=40, size=0.8, place=(0.5, 0.5)), NaturalPatch(size=0.8, place=(0.5, 0.5)))
    )
    assert trained.reached and trained.after["a"] < natural.after["a"]


def test_a_kept_patch_fools_slices_that_it_was_not_trained_on(tmp_path: Path) -> None:
    classifier, volume = case()
    threat, file = Threat(Conceal("a"), L0(600)), tmp_path / "patch.npz"
    perturb(classifier, volume, threat, Patch(steps=40, batch=2, keep=str(file)))
    rng = np.random.default_rng(9)
    fresh = volume.with_voxels(rng.integers(995, 1006, volume.voxels.shape).astype(np.uint16))
    found = perturb(classifier, fresh, threat, Pasted(str(file), size=0.8))
    assert found.reached and found.gradients == 0
    changed = found.adversarial.voxels != fresh.voxels
    middles = {tuple(np.round(np.argwhere(entry).mean(axis=0))) for entry in changed}
    assert len(middles) > 1
    for entry in changed:
        rows, columns = np.nonzero(entry)
        assert 2 * np.ptp(rows) + 2 == pytest.approx(24, abs=4) and np.ptp(columns) + 1 == pytest.approx(24, abs=3)


def test_a_pasted_patch_of_a_size_in_mm_lies_at_the_point(tmp_path: Path) -> None:
    classifier, volume = case()
    file = tmp_path / "patch.npz"
    np.savez(file, picture=np.zeros((1, 8, 8), np.float32))
    attack = Pasted(str(file), size=12, unit="mm", place=(0.5, 0.25))
    found = perturb(classifier, volume, Threat(Conceal("a"), L0(600)), attack)
    rows, columns = np.nonzero((found.adversarial.voxels == 0).any(axis=0))
    assert 11 <= np.ptp(columns) + 1 <= 13 and 5 <= np.ptp(rows) + 1 <= 7
    assert abs(columns.mean() - 7.5) < 1 and abs(rows.mean() - 10) < 1


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    classifier, volume = case()
    threat = Threat(Conceal("a"), L0(600))
    colour, words, gone = tmp_path / "colour.npz", tmp_path / "words.npz", tmp_path / "gone.npz"
    np.savez(colour, picture=np.zeros((3, 8, 8), np.float32))
    words.write_text("no picture")
    for file, said in ((colour, "3 channels"), (words, "no picture"), (gone, "cannot be read")):
        with pytest.raises(AttackError, match=said):
            perturb(classifier, volume, threat, Pasted(str(file)))
    with pytest.raises(AttackError, match="needs a picture"):
        perturb(classifier, volume, threat, Pasted())
    with pytest.raises(OutputError, match="does not exist"):
        perturb(classifier, volume, threat, Patch(steps=1, keep=str(tmp_path / "none" / "patch.npz")))


def test_what_is_kept_never_takes_the_place_of_something_else(tmp_path: Path) -> None:
    classifier, volume = case()
    scan, file = tmp_path / "scan.dcm", tmp_path / "one.npz"
    scan.write_bytes(b"a source")
    for attack, threat in (
        (Patch(steps=1, keep=str(scan)), Threat(Conceal("a"), L0(600))),
        (Universal(keep=str(scan)), Threat(Conceal("a"), Linf(6))),
    ):
        with pytest.raises(OutputError, match=r"scan\.dcm exists and holds no"):
            perturb(classifier, volume, threat, attack)
    assert scan.read_bytes() == b"a source"
    for _ in range(2):
        perturb(classifier, volume, Threat(Conceal("a"), Linf(6)), Universal(keep=str(file)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "scan.dcm"]


def test_a_universal_perturbation_is_one_for_all_slices() -> None:
    classifier, volume = case()
    found = perturb(classifier, volume, Threat(Conceal("a"), Linf(6)), Universal())
    change = found.adversarial.voxels.astype(int) - volume.voxels
    assert found.reached and (change == change[0]).all()


def test_a_low_frequency_perturbation_is_smooth_in_and_across_slices() -> None:
    classifier, volume = case(noise=0.002)
    threat = Threat(Conceal("a"), Linf(30))
    rough, smooth = (
        perturb(classifier, volume, threat, attack) for attack in (PGD(), LowFrequency(sigma=4, sigma_z=9))
    )
    assert rough.reached and smooth.reached
    for axis in (0, 1, 2):
        steps = [
            np.abs(np.diff(found.adversarial.voxels.astype(float) - volume.voxels, axis=axis)).mean()
            / np.abs(found.adversarial.voxels.astype(float) - volume.voxels).mean()
            for found in (rough, smooth)
        ]
        assert steps[1] < 0.35 and (axis == 0 or steps[1] < 0.5 * steps[0])


def test_a_noise_shaped_perturbation_stays_below_the_noise() -> None:
    classifier, volume = case()
    found = perturb(classifier, volume, Threat(Conceal("a"), Linf(500)), NoiseShaped(times=1.0))
    change = torch.from_numpy(found.adversarial.values() - volume.values())
    box = local_noise(torch.from_numpy(volume.values())[:, None, None], 2.0)[:, 0, 0]
    assert found.reached and bool((change.abs() <= box + 1).all())


def test_a_surrogate_stands_in_for_the_victim(monkeypatch: pytest.MonkeyPatch) -> None:
    victim, volume = case(seed=0, noise=0.0005)
    known = {"one": case(seed=1, noise=0.0005)[0], "two": case(seed=2, noise=0.0005)[0]}
    known["none"] = dataclasses.replace(known["one"], white_box=False)
    asked: list[int] = []

    def network(values: Tensor) -> Tensor:
        asked.append(len(values))
        assert not values.requires_grad
        found: Tensor = victim.network(values)
        return found

    monkeypatch.setattr(transfer_module, "load_classifier", lambda path, device: known[Path(path).name])
    box = dataclasses.replace(victim, network=network, white_box=False)
    threat = Threat(Conceal("a"), Linf(20))
    for surrogates in (("one",), ("one", "two")):
        asked.clear()
        found = perturb(box, volume, threat, Transfer(surrogates, "pgd"))
        assert found.reached and sum(asked) == 3 * 4
    asked.clear()
    driven = perturb(box, volume, threat, Transfer(("one",), "pgd", 3, ("step=0.5", "confidence=inf", "start=clean")))
    assert driven.reached and driven.gradients == 3 * 4
    with pytest.raises(AttackError, match="no gradient"):
        perturb(box, volume, threat, Transfer(("none",)))
    with pytest.raises(AttackError, match="at least one"):
        perturb(box, volume, threat, Transfer())


@pytest.mark.parametrize("shape", ["disc", "square", "L", "R", "lead"])
def test_a_shape_is_drawn_in_mm_wherever_the_region_holds_it(shape: Shape) -> None:
    classifier, volume = case()
    mask = np.zeros(volume.shape, bool)
    mask[:, 6:, :14] = True
    attack = Patch(steps=3, size=12, unit="mm", shape=shape)
    found = perturb(classifier, volume, Threat(Conceal("a"), L0(600), Region(mask)), attack, seed=2)
    for entry in found.adversarial.voxels != volume.voxels:
        rows, columns = np.nonzero(entry)
        assert entry.any() and not entry[~mask[0]].any()
        assert np.ptp(columns) + 1 <= 13 and 2 * np.ptp(rows) + 2 <= 14
        whole = {"disc": np.pi / 4, "square": 1.0}.get(shape)
        assert entry.sum() < 0.5 * 72 if whole is None else 0.7 * whole * 72 < entry.sum() <= 1.2 * whole * 72


def test_side_markers_and_leads_look_like_themselves() -> None:
    down, across = torch.meshgrid(torch.linspace(-1, 1, 41), torch.linspace(-1, 1, 41), indexing="ij")
    left, right, lead = (inside(across, down, shape) for shape in ("L", "R", "lead"))
    assert bool(left[36, 8:28].all()) and bool(left[6:34, 10].all()) and not bool(left[4:30, 16:].any())
    assert bool(right[6:34, 10].all()) and bool(right[5:34, 28:32].any()) and not bool(right[24:, 14:18][:, :].all())
    assert bool(lead.any(dim=0)[2:-2].all()) and float(lead.float().mean()) < 0.12

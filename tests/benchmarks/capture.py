"""Which share of fresh acquisitions an attack at the moment of capture still fools, with and without expectation over them.

    python tests/benchmarks/capture.py [--times 20] [--steps 40] [--draws 4] [--only kspace] [--percent 0.6]
        [--noise 0.005] [--rewindow 0.02] [--cxr FOLDER --images 6]

On the embedded samples: slices with nodules of the CT phantom, and the radiograph, reduced to a sixth of its pixels along each side,
or radiographs of a folder in its place: those in which the classifier sees pneumonia. `pgd`, which knows no acquisition, stands beside them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.bias_field import BiasField
from napari_medadv.attacks.capture import Capture
from napari_medadv.attacks.gain_gamma import GainGamma
from napari_medadv.attacks.kspace import KSpace
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.sinogram import Sinogram
from napari_medadv.attacks.survival import survival
from napari_medadv.dicom import decode, scan
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.samples import SAMPLES
from napari_medadv.threat import L0, Amount, Conceal, Region, Threat
from napari_medadv.threat.ball import Norm
from napari_medadv.volume import Volume


@dataclass(frozen=True)
class Case:
    sample: str
    norm: Norm
    percent: float
    attacks: tuple[Attack, ...]


def cases(steps: int, draws: int, taken: Retake) -> list[Case]:
    def both(kind: type[Capture]) -> tuple[Attack, ...]:
        return tuple(
            kind(steps=steps, draws=number, noise=taken.noise, rewindow=taken.rewindow)  # type: ignore[misc]
            for number in (0, draws)
        )

    return [
        Case("ct_phantom", "L2", 0.6, (PGD(steps=steps),)),
        Case("ct_phantom", "L2", 0.6, both(KSpace)),
        Case("ct_phantom", "L2", 0.6, both(Sinogram)),
        Case("radiograph", "Linf", 18.0, both(BiasField)),
        Case("radiograph", "Linf", 14.0, both(GainGamma)),
    ]


def loaded(name: str, folder: Path, count: int) -> tuple[Classifier, Volume, Threat]:
    """A sample, its classifier, and the goal on some slices; the budget is put in later."""
    (sample,) = (sample for sample in SAMPLES if sample.name == name)
    (series,) = scan(sample.series(folder)).series
    volume, classifier = decode(series), load_classifier(sample.model)
    if len(volume.voxels) == 1:
        volume = reduced(volume, 6)
        slices: tuple[int, ...] = (0,)
    else:
        found = classifier.predict(volume)
        assert found.slices is not None
        present = classifier.findings.present(found.slices)[:, classifier.findings.index(sample.conceal)]
        chosen = np.nonzero(present)[0][:: max(1, int(present.sum()) // count)][:count]
        volume = replace(volume, voxels=volume.voxels[chosen], scale=volume.scale.take(chosen))
        slices = tuple(range(len(chosen)))
    threat = Threat(Conceal(sample.conceal), Amount(1.0).budget("Linf", volume), Region(slices=slices))
    return classifier, volume, threat


def radiographs(folder: Path, count: int) -> tuple[Classifier, Volume, Threat]:
    """The first so many radiographs of a folder, all of one size, in which the classifier sees the finding, as slices."""
    sample = SAMPLES[0]
    classifier, found = load_classifier(sample.model), []
    for series in scan(folder).series:
        volume = decode(series)
        if sample.conceal in classifier.predict(volume).present:
            found.append(volume)
        if len(found) == count:
            break
    volume = replace(found[0], voxels=np.concatenate([each.voxels for each in found]))
    volume = replace(volume, scale=volume.scale.take(np.zeros(len(found), np.int64)))
    slices = tuple(range(len(found)))
    return (
        classifier,
        volume,
        Threat(Conceal(sample.conceal), Amount(1.0).budget("Linf", volume), Region(slices=slices)),
    )


def reduced(volume: Volume, times: int) -> Volume:
    """Every block of `times` x `times` pixels as its mean."""
    _, height, width = (side // times * times for side in volume.shape)
    blocks = volume.voxels[:, :height, :width].reshape(-1, height // times, times, width // times, times)
    affine = volume.affine.copy()
    affine[:, 1:3] *= times
    return replace(volume, voxels=np.rint(blocks.mean(axis=(2, 4))).astype(volume.voxels.dtype), affine=affine)


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("--times", 20), ("--steps", 40), ("--draws", 4), ("--slices", 4)):
        asked.add_argument(name, type=int, default=default)
    asked.add_argument("--only", help="the name of one attack's class, in small letters")
    for name, part in (("--percent", None), ("--noise", 0.005), ("--rewindow", 0.02)):
        asked.add_argument(name, type=float, default=part)
    asked.add_argument("--cxr", type=Path)
    asked.add_argument("--images", type=int, default=6)
    given = asked.parse_args()
    taken = Retake(noise=given.noise, rewindow=given.rewindow)
    print(f"Each acquisition {taken}.\n")
    print(
        "| attack | sample | budget | looks at | as stored | fooled, of fresh acquisitions | of the clean image | CPU s |"
    )
    print("|---" * 8 + "|")
    for case in cases(given.steps, given.draws, taken):
        if given.only not in (None, type(case.attacks[0]).__name__.lower()):
            continue
        with tempfile.TemporaryDirectory() as folder:
            many = given.cxr is not None and case.sample == "radiograph"
            classifier, volume, threat = (
                radiographs(given.cxr, given.images) if many else loaded(case.sample, Path(folder), given.slices)
            )
        where = f"{len(volume.voxels)} radiographs" if many else case.sample
        percent = case.percent if given.percent is None else given.percent
        threat = replace(threat, budget=Amount(percent, "percent").budget(case.norm, volume))
        before = perturb(classifier, volume, replace(threat, budget=L0(1)), Noise())
        control = survival(classifier, replace(before, adversarial=volume), taken, times=given.times).share
        for attack in case.attacks:
            start = time.process_time()
            found = perturb(classifier, volume, threat, attack)
            spent = time.process_time() - start
            seen = survival(classifier, found, taken, times=given.times)
            looks = getattr(attack, "draws", 0)
            print(
                f"| {type(attack).__name__} | {where} | {percent:g} % of the window, {case.norm} | "
                f"{f'{looks} acquisitions and the image' if looks else 'the image alone'} | "
                f"{'reached' if found.reached else 'not reached'} | "
                f"{seen.share:.0%} of {given.times} x {len(found.slices)} | {control:.0%} | {spent:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""How well the default detectors tell attacked radiographs from clean ones: ``python -m tests.benchmarks.detectors_cxr …/cxr MODEL``.

Needs the folder ``cxr/`` of 8-bit DICOM radiographs and ``cxr.csv`` beside it (file, patient, label, split). Test patients are
split in two: one half calibrates, the other is examined, and no attack is seen before. Attacks count where they reach their
goal as stored; the controls, which no adversary made, should be flagged as rarely as clean images.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import torch

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.catalogue import entry
from napari_medadv.cli.calibrate import DEFAULT
from napari_medadv.detect import Detector, Reference, calibrate, examine
from napari_medadv.detect.conformal import Rate
from napari_medadv.dicom import decode, scan
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.threat import Confuse, Linf, Threat
from napari_medadv.volume import Volume

Values = npt.NDArray[np.float64]


def read(table: Path) -> list[tuple[str, Volume]]:
    """Patient and radiograph of the test split, patients in a seeded random order."""
    rows = [row for row in csv.DictReader(table.open()) if row["split"] == "test" and row["file"].startswith("cxr/")]
    patients = sorted({row["patient"] for row in rows})
    place = {patient: index for index, patient in enumerate(np.random.default_rng(0).permutation(patients).tolist())}
    rows.sort(key=lambda row: (place[row["patient"]], row["file"]))
    return [(row["patient"], decode(scan(table.parent / row["file"])[0])) for row in rows]


def jpeg2000(volume: Volume) -> Volume:
    """A benign control: once through lossy JPEG 2000 at 40 dB."""
    plane = imagecodecs.jpeg2k_decode(imagecodecs.jpeg2k_encode(volume.voxels[0], level=40))
    return volume.with_voxels(plane[None].astype(volume.voxels.dtype))


def area(suspicious: Values, clean: Values) -> float:
    """The area under the ROC curve of p-values: lower is more suspicious."""
    first, second = suspicious[:, None], clean[None]
    return float(np.mean((first < second) + 0.5 * (first == second)))


def interval(suspicious: Values, who: list[str], clean: Values, whose: list[str]) -> tuple[float, float]:
    """95 % of the area, bootstrapped by patient."""
    rng = np.random.default_rng(1)
    names = np.array(sorted({*who, *whose}))
    found = []
    for _ in range(1000):
        drawn = rng.choice(names, len(names))
        one, other = (
            np.concatenate([p[np.array(of) == name] for name in drawn]) for p, of in ((suspicious, who), (clean, whose))
        )
        if len(one) and len(other):
            found.append(area(one, other))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--clean", type=int, default=60, help="clean images for the reference (at most 100)")
    parser.add_argument("--examined", type=int, default=24)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    classifier: Classifier = load_classifier(arguments.model)
    detectors: Sequence[Detector] = [entry(name, "napari_medadv.detect")() for name in DEFAULT]
    everything = read(arguments.folder.parent / "cxr.csv")
    known = everything[: arguments.clean]
    left = [pair for pair in everything if pair[0] not in {patient for patient, _ in known}][: arguments.examined]
    reference: Reference = calibrate(detectors, classifier, [volume for _, volume in known])
    print(
        f"{classifier.name}: {reference.fitted} images learnt from, {reference.count} calibrate, {len(left)} others examined"
    )

    def p_values(volumes: list[Volume]) -> Values:
        return np.array([examine(detectors, classifier, volume, reference).p for volume in volumes])

    def show(name: str, volumes: list[Volume], who: list[str]) -> None:
        found = p_values(volumes)
        low, high = interval(found, who, clean, whose)
        flagged = Rate(int((found <= 0.05).sum()), len(found))
        print(
            f"{name:22} AUROC {area(found, clean):.3f} ({low:.3f} to {high:.3f})  flagged at 5 %: {flagged}", flush=True
        )

    whose = [patient for patient, _ in left]
    clean = p_values([volume for _, volume in left])
    print(f"clean                  flagged at 5 %: {Rate(int((clean <= 0.05).sum()), len(clean))}", flush=True)
    show("control: JPEG 2000", [jpeg2000(volume) for _, volume in left], whose)
    far = float("inf")
    attacks: list[tuple[str, Callable[[], Attack], float]] = [
        ("control: noise 2.55", Noise, 2.55),
        ("FGSM 2", FGSM, 2),
        ("PGD 2", lambda: PGD(steps=10, step=0.25, confidence=far), 2),
        ("APGD 2", lambda: APGD(steps=10), 2),
        ("PGD 1", lambda: PGD(steps=10, step=0.25, confidence=far), 1),
    ]
    for name, attack, epsilon in attacks:
        found = [(who, perturb(classifier, volume, Threat(Confuse(), Linf(epsilon)), attack())) for who, volume in left]
        kept = [(who, each) for who, each in found if each.reached or name.startswith("control")]
        print(f"{name}: goal reached on {sum(each.reached for _, each in found)} of {len(found)}")
        if kept:
            show(name, [each.adversarial for _, each in kept], [who for who, _ in kept])


if __name__ == "__main__":
    main()

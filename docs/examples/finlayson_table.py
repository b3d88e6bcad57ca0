"""Finlayson's table: PGD against noise of the same size, on radiographs, judged as stored.

Finlayson et al., Science 2019 (https://arxiv.org/abs/1804.05296): 2.55/255 of the range, 20 steps of half of that,
towards the opposite class. Only radiographs that the classifier reads right count, as in the paper.

    python finlayson_table.py FOLDER CSV MODEL [LIMIT]

CSV has the columns file, label and split; the rows of the test split are used, and LIMIT of them at most (200).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from napari_medadv import Classifier, Fabricate, Linf, Threat, Volume, decode, load_classifier, perturb, scan
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD

ATTACKS: dict[str, PGD | Noise] = {
    "PGD": PGD(steps=20, step=0.5, confidence=float("inf")),
    "random noise": Noise(kind="sign"),
}


def main(folder: Path, table: Path, model: str, limit: int = 200) -> None:
    classifier = load_classifier(model)
    with table.open(newline="") as rows:
        wanted = [row for row in csv.DictReader(rows) if row["split"] == "test"][:limit]
    own: dict[str, list[float]] = {name: [] for name in ("clean", *ATTACKS)}
    volumes = ((decode(scan(folder / Path(row["file"]).name)[0]), row["label"]) for row in wanted)
    for number, (volume, label) in enumerate(volumes):
        before = classifier.predict(volume)
        if before.present != (label,):
            continue
        own["clean"].append(before[label])
        for name, attack in ATTACKS.items():
            own[name].append(attacked(classifier, volume, label, attack, number))
    print(f"{len(own['clean'])} of {len(wanted)} radiographs are read right; of these, as stored:\n")
    print(f"{'':14}{'still read right':>18}{'opposite class, mean':>22}")
    for name, scores in own.items():
        right = 100 * float(np.mean(np.array(scores) > 0.5))
        print(f"{name:14}{right:16.1f} %{100 * (1 - float(np.mean(scores))):20.1f} %")


def attacked(classifier: Classifier, volume: Volume, label: str, attack: PGD | Noise, seed: int) -> float:
    """The probability of the true label after the attack, by the stored integers."""
    (other,) = set(classifier.findings.labels) - {label}
    low, high = volume.scale.limits
    epsilon = 2.55 / 255 * float((high - low).max())
    found = perturb(classifier, volume, Threat(Fabricate(other), Linf(epsilon)), attack, seed=seed)
    return found.after[label]


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__)
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))

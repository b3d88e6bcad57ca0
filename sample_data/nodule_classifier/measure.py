"""Measure the shipped nodule classifier on phantoms that training never saw: ``python measure.py [--pairs 12]``.

Prints slice AUC with a bootstrap interval by phantom, how many series are decided rightly, and how many of the rightly
found series PGD and random noise of the same size conceal, as stored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from phantoms import LEAST_RADIUS, SHAPE, SPACING
from sklearn.metrics import roc_auc_score

from napari_medadv import Conceal, Linf, Scale, Threat, Volume, load_classifier, perturb
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.phantom import chest_ct

FIRST_SEED = 5000


def volume(seed: int, nodules: int | None) -> tuple[Volume, NDArray[np.bool_]]:
    """A phantom as a CT, and which slices show a nodule."""
    voxels, placed = chest_ct(seed, SHAPE, SPACING, nodules=nodules)
    positions = np.arange(SHAPE[0]) * SPACING[0]
    shows = np.zeros(SHAPE[0], bool)
    for nodule in placed:
        shows |= nodule.chord(positions) >= LEAST_RADIUS
    return Volume(voxels, np.diag([*SPACING, 1.0]), Scale("HU", -1024, 3071), modality="CT"), shows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12, help="phantoms with, and as many without, a nodule")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[4, 8, 16])
    arguments = parser.parse_args()
    classifier = load_classifier(Path(__file__).parent / "model.pt2")
    series, found, clean_rows, concealed = [], 0, 0, {}
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.pairs):
        case, shows = volume(seed, None)
        other, _ = volume(seed + 1000, 0)
        before, without = classifier.predict(case), classifier.predict(other)
        assert before.slices is not None and without.slices is not None
        series.append(
            (
                np.r_[before.slices[shows, 0], without.slices[:, 0]],
                np.r_[np.ones(shows.sum()), np.zeros(len(without.slices))],
            )
        )
        clean_rows += "nodule" not in without.present
        if "nodule" not in before.present:
            continue
        found += 1
        for epsilon in arguments.epsilons:
            for attack in (PGD(steps=40), Noise()):
                done = perturb(classifier, case, Threat(Conceal("nodule"), Linf(epsilon)), attack, seed=seed)
                key = (type(attack).__name__, epsilon)
                concealed[key] = concealed.get(key, 0) + done.reached
    draws = np.random.default_rng(0).integers(len(series), size=(2000, len(series)))
    areas = [roc_auc_score(*(np.concatenate([series[i][part] for i in draw]) for part in (1, 0))) for draw in draws]
    area = roc_auc_score(*(np.concatenate([one[part] for one in series]) for part in (1, 0)))
    print(
        f"slice AUC {area:.3f}, 95 % interval by phantom {np.quantile(areas, 0.025):.3f} to {np.quantile(areas, 0.975):.3f}"
    )
    print(
        f"series with a nodule found: {found} of {arguments.pairs}; series without, left alone: {clean_rows} of {arguments.pairs}"
    )
    for (name, epsilon), count in concealed.items():
        print(f"{name} within {epsilon:g} HU conceals the nodule in {count} of {found} series, as stored")


if __name__ == "__main__":
    main()

"""What rounding costs: success as stored beside the success of the same attack in float, at budgets of 1 to 4 grey levels.

    python tests/benchmarks/coarse_grid.py [--attacks pgd,fgsm,apgd] [--levels 1,2,3,4] [--digits 300] [--phantoms 1] [--cxr FOLDER --images 50]

Digits that fill 32 of 256 levels and the small CNN without any defence; slices with nodules of the embedded CT phantom, stored in steps of 1 HU
and in 8 bits over its window; the embedded radiograph, stored in 8 bits; and, where a folder is given, its radiographs as they
are. Each slice is attacked by itself, paired: the same values, steps and seed, with what can be stored and without any grid.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

from napari_medadv.attacks.grid import Unrounded
from napari_medadv.attacks.perturb import task_of
from napari_medadv.attacks.plain import plain_task
from napari_medadv.attacks.tally import Tally
from napari_medadv.attacks.task import Task
from napari_medadv.catalogue import entry
from napari_medadv.dicom import decode, scan
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.progress import silent
from napari_medadv.samples import SAMPLES, phantom_series
from napari_medadv.threat import Conceal, Confuse, Goal, Linf, Threat
from napari_medadv.volume import Scale, Volume

Case = tuple[str, list[Callable[[int], Task]]]


def cases(count: int, phantoms: int, cxr: Path | None, images: int) -> Iterator[Case]:
    if count:
        yield "digits over 32 of 256 levels", [digits(count)]
    radiograph, phantom = SAMPLES
    classifier, volumes = load_classifier(phantom.model), []
    for seed in range(1, phantoms + 1):
        with tempfile.TemporaryDirectory() as folder:
            (series,) = scan(phantom_series(Path(folder), seed)).series
            volumes.append(shown(classifier, decode(series), phantom.conceal))
    goal = Conceal(phantom.conceal)
    yield "CT phantom, 1 HU", [slices(classifier, volume, goal) for volume in volumes]
    eight = [eight_bits(volume, -1350.0, 150.0) for volume in volumes]
    yield "CT phantom, 8 bits over 1500 HU", [slices(classifier, volume, goal) for volume in eight]
    classifier = load_classifier(radiograph.model)
    with tempfile.TemporaryDirectory() as folder:
        (series,) = scan(radiograph.series(Path(folder))).series
        volume = decode(series)
    eight = [eight_bits(volume, *volume.window.limits)]
    yield "radiograph, 8 bits", [slices(classifier, volume, Conceal(radiograph.conceal)) for volume in eight]
    if cxr is not None:
        found = [decode(series) for series in scan(cxr).series[:images]]
        yield f"{len(found)} radiographs of {cxr.name}", [slices(classifier, volume, Confuse()) for volume in found]


def shown(classifier: Classifier, volume: Volume, label: str) -> Volume:
    """The slices in which the label is present."""
    scores = classifier.predict(volume).slices
    assert scores is not None
    chosen = np.nonzero(classifier.findings.present(scores)[:, classifier.findings.index(label)])[0]
    return replace(volume, voxels=volume.voxels[chosen], scale=volume.scale.take(chosen))


def eight_bits(volume: Volume, low: float, high: float) -> Volume:
    """The same image in 256 levels from `low` to `high`, in the unit of the volume."""
    slope = (high - low) / 255
    voxels = np.rint((volume.values().clip(low, high) - low) / slope).astype(np.uint8)
    return replace(volume, voxels=voxels, scale=Scale(volume.scale.unit, 0, 255, np.array([slope]), np.array([low])))


def digits(count: int) -> Callable[[int], Task]:
    """The task of so many faint digits in 8 bits, by the number of levels of the budget."""
    from digits import trained  # type: ignore[import-not-found]

    network, inputs, labels = trained(reach=0.0)
    stored, labels = 112 + (inputs[:count] * 32).round(), labels[:count]

    def reads(values: Tensor) -> Tensor:
        found: Tensor = network((values - 112) / 32)
        return found

    return lambda levels: plain_task(
        reads, stored, labels, Linf(levels), False, (0.0, 255.0), 256, len(stored), 0, Tally()
    )


def slices(classifier: Classifier, volume: Volume, goal: Goal) -> Callable[[int], Task]:
    """The task of all slices of a volume, by the number of levels of the budget."""
    before, rows = classifier.predict(volume), np.arange(len(volume.voxels))

    def made(levels: int) -> Task:
        threat = Threat(goal, Linf(levels * float(volume.scale.quantum[0])))
        return task_of(classifier, volume, threat, before, rows, torch.Generator().manual_seed(0), silent)[0]

    return made


def successes(name: str, made: Callable[[int], Task], levels: int) -> tuple[int, int, int, int]:
    """How many slices stood, how many fell as stored, how many in float, and how many in float once they were rounded."""
    fell: list[int] = []
    stood = rounded = 0
    for stored in (True, False):
        task = made(levels)
        open_ = (task.margin(task.clean) <= 0).nonzero().flatten()
        stood, task = len(open_), task.take(open_)
        used = task if stored else replace(task, grid=Unrounded(task.grid.free))
        values = used.admit(entry(name, "napari_medadv.attacks")()(used)) if stood else used.clean
        judged = task.stored(values) if stored else values
        fell.append(int((task.margin(judged) > 0).sum()))
        if not stored:
            rounded = int((task.margin(task.stored(values)) > 0).sum())
    return stood, fell[0], fell[1], rounded


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--attacks", default="pgd,apgd,fgsm")
    asked.add_argument("--levels", default="1,2,3,4")
    asked.add_argument("--digits", type=int, default=300)
    asked.add_argument("--phantoms", type=int, default=1)
    asked.add_argument("--cxr", type=Path)
    asked.add_argument("--images", type=int, default=50)
    asked.add_argument("--only", default="", help="cases whose name holds this")
    given = asked.parse_args()
    print(
        "| images | attack | levels | slices | as stored | in float | difference, points | float, rounded at the end |"
    )
    print("|---" * 8 + "|")
    for words, tasks in cases(given.digits, given.phantoms, given.cxr, given.images):
        if given.only not in words:
            continue
        for name in given.attacks.split(","):
            for levels in (int(part) for part in given.levels.split(",")):
                parts = [successes(name, made, levels) for made in tasks]
                stood, stored, unrounded, late = (sum(column) for column in zip(*parts, strict=True))
                share = [100 * count / max(stood, 1) for count in (stored, unrounded, late)]
                print(
                    f"| {words} | {name} | {levels} | {stood} | {share[0]:.1f} % | {share[1]:.1f} % | "
                    f"{share[0] - share[1]:+.1f} | {share[2]:.1f} % |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

"""Measure the exported classifier on the test patients: ``python measure.py FOLDER_OF_CXR [MODEL]``.

Prints the AUC with its interval, the accuracy before and after PGD (Madry et al., ICLR 2018,
https://arxiv.org/abs/1706.06083) at the budget of Finlayson et al. (Science 2019), 2.55/255 of the range, and after
random noise of the same size, on the 8-bit levels that a file stores.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from radiographs import LABELS, Radiographs, presentation_of_levels, read_presentation, read_table, resized
from scores import area_under_curve, interval_by_patient
from torch import Tensor

from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import fool
from napari_medadv.threat import Linf

BUDGET = 2.55
STEPS = 20

Logits = Callable[[Tensor], Tensor]


def attacked(logits: Logits, clean: Tensor, goal: Tensor, attack: Attack, levels: int | None) -> Tensor:
    """Levels, (image, 1, y, x), within ``BUDGET`` of ``clean``, driven towards class ``goal``, (image,)."""
    return fool(
        logits, clean, goal, attack, Linf(BUDGET), targeted=True, bounds=(0, 255), levels=levels, batch=len(clean)
    )


def report_attacks(logits: Logits, radiographs: Radiographs, limit: int = 200) -> None:
    clean = radiographs.stored[:limit, None].float()
    targets = radiographs.targets[:limit]
    with torch.no_grad():
        kept = torch.cat([logits(part) for part in clean.split(50)]).argmax(1) == targets
    clean, targets = clean[kept], targets[kept]
    pgd = PGD(steps=STEPS, step=0.5, start="clean", confidence=math.inf, arithmetic="float32")
    runs: dict[str, tuple[Attack, int | None]] = {
        "PGD, not rounded": (pgd, None),
        "PGD, as stored": (pgd, 256),
        "noise, as stored": (Noise(), 256),
    }
    print(f"correct before: {len(targets)} of {len(kept)}")
    for name, (attack, levels) in runs.items():
        found = []
        for part, target in zip(clean.split(25), targets.split(25), strict=True):
            changed = attacked(logits, part, 1 - target, attack, levels)
            with torch.no_grad():
                found.append(logits(changed).softmax(1).gather(1, target[:, None])[:, 0])
        probability = torch.cat(found)
        share = float((probability > 0.5).float().mean())
        print(
            f"after {name}: {100 * share:.1f} % correct, true class at {probability.mean():.3f} in the mean", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder cxr/ of the radiographs; cxr.csv lies beside it")
    parser.add_argument("model", type=Path, nargs="?", default=Path(__file__).with_name("model.pt2"))
    parser.add_argument("--full", type=Path, help="folder cxr_full/: do the full-size copies agree?")
    parser.add_argument("--radiograph", type=Path, action="append", default=[], help="a DICOM file to classify")
    arguments = parser.parse_args()
    network = torch.export.load(arguments.model).module()

    def logits(levels: Tensor) -> Tensor:
        result: Tensor = network(resized(presentation_of_levels(levels)))
        return result

    test = read_table(arguments.folder, "test")
    with torch.no_grad():
        outputs = torch.cat([logits(part) for part in test.stored[:, None].float().split(50)])
    scores, targets = (outputs[:, 1] - outputs[:, 0]).double().numpy(), test.targets.numpy()
    low, high = interval_by_patient(scores, targets, test.patients, seed=0)
    area = area_under_curve(scores, targets)
    print(f"test AUC {area:.3f} (95 % interval {low:.3f} to {high:.3f}, bootstrap by patient)")
    print(f"test accuracy {(outputs.argmax(1) == test.targets).float().mean():.3f} of {len(targets)}")
    report_attacks(logits, test)
    if arguments.full is not None:
        names = [Path(file).name for file in test.files]
        probability = dict(zip(names, outputs.softmax(1)[:, 1].tolist(), strict=True))
        for path in sorted(arguments.full.glob("*.dcm")):
            with torch.no_grad():
                full = float(network(resized(read_presentation(path))).softmax(1)[0, 1])
            print(f"{path.name}: pneumonia {probability[path.name]:.3f} at 320 x 320, {full:.3f} at full size")
    for path in arguments.radiograph:
        with torch.no_grad():
            shown = network(resized(read_presentation(path))).softmax(1)[0].tolist()
        print(f"{path.name}: " + ", ".join(f"{label} {value:.3f}" for label, value in zip(LABELS, shown, strict=True)))


if __name__ == "__main__":
    main()

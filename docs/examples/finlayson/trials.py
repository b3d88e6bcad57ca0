"""Trials: each attack of the experiment on a stack of test images, and the pictures that the patches paste.

All go through ``perturb()``: what is judged are the integers that a file stores. Every image is driven towards the
other label whatever the network says of it, and no image rests before the last step, as in the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from stacks import Stack

from napari_medadv import Classifier, Conceal, Linf, Threat, Volume, load_classifier, perturb
from napari_medadv.attacks import Attack
from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pasted import Pasted
from napari_medadv.attacks.patch import Patch
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.picture import keep
from napari_medadv.attacks.transfer import Transfer
from napari_medadv.errors import AlreadyReached
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.threat import L0, Budget, Reach

STEPS = 20
STEP = 0.5
SHARE = 0.01
SIDE = 0.4
DRIVEN = 1e-6
CROPS = 200
PATCH = Patch(batch=8)

TRIALS = (
    "clean",
    "random noise, same size",
    "PGD, white box",
    "APGD, white box, same budget and steps",
    "PGD, black box",
    "natural patch",
    "adversarial patch, white box",
    "adversarial patch, black box",
)


@dataclass(frozen=True)
class Bench:
    """Who is judged, who stands in for it in a black box, and where patches are kept.

    ``train`` gives the training images of a label; they are read only when a patch has to be made.
    """

    victim: Classifier
    surrogate: Path
    train: Callable[[str], Stack]
    pictures: Path
    arithmetic: Arithmetic = "bfloat16"
    patch_steps: int = 150

    def other(self, label: str) -> str:
        """The other of the two labels."""
        (found,) = set(self.victim.findings.labels) - {label}
        return found


def judged(bench: Bench, trial: str, stack: Stack, seed: int) -> np.ndarray:
    """What the victim says of the stack after the trial: probabilities, float64, (image, label)."""
    if trial == "clean":
        return slices_of(bench.victim, stack.volume)
    attack, budget = attack_of(bench, trial, stack)
    threat = Threat(Reach(stack.label, DRIVEN, "at most"), budget)
    try:
        found = perturb(bench.victim, stack.volume, threat, attack, seed=seed)
    except AlreadyReached:
        return slices_of(bench.victim, stack.volume)
    assert found.after.slices is not None
    return found.after.slices


def slices_of(classifier: Classifier, volume: Volume) -> np.ndarray:
    found = classifier.predict(volume).slices
    assert found is not None
    return found


def attack_of(bench: Bench, trial: str, stack: Stack) -> tuple[Attack, Budget]:
    """The attack of a trial and its budget, for images of the stack's label."""
    low, high = stack.volume.scale.limits
    faint, covered = Linf(SHARE * float((high - low).max())), disc(stack.volume)
    settings = (f"step={STEP}", "confidence=inf", f"arithmetic={bench.arithmetic}")
    attacks: dict[str, Callable[[], tuple[Attack, Budget]]] = {
        "random noise, same size": lambda: (Noise(kind="sign"), faint),
        "PGD, white box": lambda: (PGD(STEPS, STEP, confidence=math.inf, arithmetic=bench.arithmetic), faint),
        "APGD, white box, same budget and steps": lambda: (APGD(STEPS, confidence=math.inf), faint),
        "PGD, black box": lambda: (Transfer((str(bench.surrogate),), "pgd", STEPS, settings), faint),
        "natural patch": lambda: (Pasted(str(natural(bench, stack.label)), SIDE), covered),
        "adversarial patch, white box": lambda: (Pasted(str(trained(bench, stack.label, "white")), SIDE), covered),
        "adversarial patch, black box": lambda: (Pasted(str(trained(bench, stack.label, "black")), SIDE), covered),
    }
    return attacks[trial]()


def disc(volume: Volume) -> L0:
    """As many pixels as a disc of ``SIDE`` of the shorter side can cover."""
    across = SIDE * min(volume.shape[1:])
    return L0(math.ceil(math.pi / 4 * across**2 + math.pi * across))


def trained(bench: Bench, label: str, box: str) -> Path:
    """The file of the patch against one label, trained on training images, on the victim itself or on its stand-in."""
    file = bench.pictures / f"{box}_{label.replace(' ', '_')}.npz"
    if not file.exists():
        teacher = bench.victim if box == "white" else load_classifier(bench.surrogate)
        stack = bench.train(label)
        unfinished = file.with_suffix(".part")
        attack = replace(PATCH, steps=bench.patch_steps, arithmetic=bench.arithmetic, keep=str(unfinished))
        found = perturb(teacher, stack.volume, Threat(Conceal(label), disc(stack.volume)), attack)
        assert found.after.slices is not None
        share = 1 - float(np.mean(found.after.slices[:, found.after.findings.index(label)] > 0.5))
        print(f"a patch against {label}, {box} box: {100 * share:.1f} % of its training images fall", flush=True)
        unfinished.rename(file)
    return file


def natural(bench: Bench, label: str) -> Path:
    """The file of the piece of a training image of the other label that the victim by itself is surest of."""
    file = bench.pictures / f"natural_{label.replace(' ', '_')}.npz"
    if not file.exists():
        source, rng = bench.train(bench.other(label)).volume, np.random.default_rng(0)
        width = round(SIDE * min(source.shape[1:]))
        places = zip(
            rng.integers(len(source.voxels), size=CROPS),
            rng.integers(source.shape[1] - width + 1, size=CROPS),
            rng.integers(source.shape[2] - width + 1, size=CROPS),
            strict=True,
        )
        pieces = [source.voxels[image, top : top + width, left : left + width] for image, top, left in places]
        crops = replace(source, voxels=np.stack(pieces))
        scores = slices_of(bench.victim, crops)[:, bench.victim.findings.index(bench.other(label))]
        best = bench.victim.tensor(crops, np.array([scores.argmax()]))
        print(
            f"the natural patch against {label} is itself read as {scores.max():.3f} {bench.other(label)}", flush=True
        )
        keep(file, best[:, :, 0])
    return file

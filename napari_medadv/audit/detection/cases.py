"""Cases: what is done to an image before the detectors look at it: nothing, a benign control, an attack, both, an adversary who knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from napari_medadv.attacks import Attack, perturb
from napari_medadv.attacks.apgd import APGD
from napari_medadv.attacks.bias_field import BiasField
from napari_medadv.attacks.cw import CW
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.fmn import FMN
from napari_medadv.attacks.low_frequency import LowFrequency
from napari_medadv.attacks.patch import Patch
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.sigma_zero import SigmaZero
from napari_medadv.audit.detection.adaptive import Adaptive, Foe
from napari_medadv.audit.detection.controls import CONTROLS
from napari_medadv.audit.detection.transferred import Transferred
from napari_medadv.catalogue import name_of
from napari_medadv.detect import Detector, Reference
from napari_medadv.errors import DetectorError
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, silent
from napari_medadv.threat import Amount, Confuse, Threat
from napari_medadv.threat.ball import Norm
from napari_medadv.volume import Volume

Kind = Literal["clean", "control", "attack", "processed", "adaptive"]

HOSTILE: tuple[Kind, ...] = ("attack", "processed", "adaptive")
"""Kinds that have a goal, which may be missed."""

PROCESSING = tuple(name for name in CONTROLS if name != "random noise")
"""What is done to attacked images: every control, and of the two noises the stronger."""

ADAPTIVE_DETECTORS = ("mirror", "alignment", "grain", "noise_margin", "squeeze", "mahalanobis", "knn")
"""Those whose score an adversary can climb, the default ones first."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is to be fooled, and who looks on."""

    classifier: Classifier
    detectors: dict[str, Detector]
    reference: Reference


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """An image after a case, and whether the attack reached its goal as stored (True where there was none)."""

    volume: Volume
    reached: bool


class Case(Protocol):
    """One way in which an image came about; its `repr` is the record of it."""

    @property
    def name(self) -> str:
        """A few words, unique among the cases of a run."""
        ...

    @property
    def kind(self) -> Kind:
        """Of which sort it is."""
        ...

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """The image after it."""
        ...


@dataclass(frozen=True, slots=True)
class Clean:
    """The image as it is."""

    @property
    def name(self) -> str:
        """Just that."""
        return "clean"

    @property
    def kind(self) -> Kind:
        """Clean."""
        return "clean"

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """Nothing is done."""
        return Done(volume, True)


@dataclass(frozen=True, slots=True)
class Control:
    """A benign change, by its name in `controls`."""

    name: str

    @property
    def kind(self) -> Kind:
        """A control."""
        return "control"

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """The change."""
        return Done(CONTROLS[self.name](volume, seed), True)


@dataclass(frozen=True, slots=True)
class Attacked:
    """An attack that knows nothing of the detectors; it wishes any other decision than the clean one.

    Attributes
    ----------
    grey
        Epsilon in grey levels of 255 in the default window; for L0, the share of voxels that may change, in per cent.
    """

    name: str
    attack: Attack
    grey: float
    norm: Norm = "Linf"

    @property
    def kind(self) -> Kind:
        """An attack."""
        return "attack"

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """What would be stored."""
        return _attacked(volume, scene, self.attack, self.grey, self.norm, seed, progress)


@dataclass(frozen=True, slots=True)
class Processed:
    """An attack, and a benign change after it, by which an adversary may hope to wipe off what detectors see.

    The goal counts as reached where the decision is another one after both.

    Attributes
    ----------
    attacked
        The attack.
    control
        The change, by its name in `controls`.
    """

    name: str
    attacked: Attacked
    control: str

    @property
    def kind(self) -> Kind:
        """An attack that was processed."""
        return "processed"

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """What would be stored in the end."""
        found = CONTROLS[self.control](self.attacked(volume, scene, seed, progress).volume, seed)
        before, after = scene.classifier.predict(volume), scene.classifier.predict(found)
        return Done(found, Confuse().reached(before, after, ()))


@dataclass(frozen=True, slots=True)
class Evading:
    """An attack that knows some of the detectors, their state and their thresholds.

    Attributes
    ----------
    targets
        Names of detectors; all fused ones that can be climbed where it is empty.
    """

    name: str
    grey: float
    targets: tuple[str, ...] = ()
    steps: int = 40

    @property
    def kind(self) -> Kind:
        """An adaptive attack."""
        return "adaptive"

    def __call__(self, volume: Volume, scene: Scene, seed: int, progress: Progress = silent) -> Done:
        """What would be stored."""
        climbable = {name: each for name, each in scene.detectors.items() if name in ADAPTIVE_DETECTORS}
        names = self.targets or tuple(name for name, each in climbable.items() if each.weight > 0)
        missing = [name for name in names if name not in climbable]
        if missing or not names:
            raise DetectorError(
                f"No adaptive attack climbs {', '.join(missing) or 'these detectors'}: leave the case out."
            )
        foes = [foe(climbable[name], scene.reference) for name in names]
        attack = Adaptive(foes, self.steps)
        return _attacked(volume, scene, attack, self.grey, "Linf", seed, progress)


def foe(detector: Detector, reference: Reference) -> Foe:
    """A calibrated detector as an adversary sees it."""
    learnt = reference.learnt[name_of(type(detector))]
    quartile = float(np.quantile(learnt.scores, 0.75))
    beyond = learnt.scores[learnt.scores > quartile] - quartile
    return Foe(
        detector,
        learnt.state,
        quartile,
        max(float(beyond.mean()) if len(beyond) else 0.0, 1e-6),
        detector.weight or 1.0,
    )


def _attacked(
    volume: Volume, scene: Scene, attack: Attack, grey: float, norm: Norm, seed: int, progress: Progress
) -> Done:
    whole = scene.classifier.reads == "volume"
    if norm == "L0":
        plane = volume.voxels if whole else volume.voxels[0]
        amount = Amount(max(round(grey / 100 * plane.size), 1), "native")
    else:
        amount = Amount(grey, "grey")
    threat = Threat(Confuse(), amount.budget(norm, volume, whole=whole))
    found = perturb(scene.classifier, volume, threat, attack, seed=seed, progress=progress)
    return Done(found.adversarial, found.reached)


def default_cases(
    epsilons: Sequence[float] = (1, 2, 4),
    *,
    steps: int = 20,
    evaded: Sequence[str] = ADAPTIVE_DETECTORS[:3],
    surrogate: Classifier | None = None,
) -> tuple[Case, ...]:
    """Controls, attacks at every epsilon (grey levels of 255), the attacks without one, processed ones; transfer on demand.

    Parameters
    ----------
    evaded
        The detectors that adaptive attacks know, one by one and all together; a case that none can climb says so when it is run.

    Raises
    ------
    DetectorError
        An epsilon is no size of a change.
    """
    for grey in epsilons:
        if not 0 < grey <= 255:
            raise DetectorError(f"An epsilon of {grey:g} grey levels was given: give numbers above 0 and up to 255.")
    epsilons = tuple(dict.fromkeys(epsilons))
    driven = float("inf")
    cases: list[Case] = [Control(name) for name in CONTROLS]
    for grey in epsilons:
        cases += [
            Attacked(f"FGSM {grey:g}", FGSM(), grey),
            Attacked(f"PGD {grey:g}", PGD(steps=steps, confidence=driven), grey),
            Attacked(f"APGD {grey:g}", APGD(steps=steps, confidence=driven), grey),
        ]
    middle, most = sorted(epsilons)[len(epsilons) // 2], max(epsilons)
    cases += [
        Attacked(f"PGD {middle:g}, just past the decision", PGD(steps=steps), middle),
        Attacked("C&W, L2 up to 4", CW(rounds=2, steps=steps), 4, "L2"),
        Attacked("FMN, Linf up to 8", FMN(steps=steps), 8),
        Attacked("smooth 8", LowFrequency(steps=steps, sigma=4, confidence=driven), 8),
        Attacked("smooth 32", LowFrequency(steps=steps, sigma=4, confidence=driven), 32),
        Attacked("bias field 16", BiasField(steps=steps), 16),
        Attacked("bias field 64", BiasField(steps=steps), 64),
        Attacked(
            "sparse, 1 % of voxels",
            SigmaZero(2 * steps, rate=1.0, cut_change=0.01, targets=1),
            1,
            "L0",
        ),
        Attacked("patch, 0.2 of the side", Patch(steps=2 * steps, size=0.2, smallest=0.15, largest=0.3), 5, "L0"),
    ]
    if surrogate is not None:
        cases.append(Attacked(f"transfer {most:g}", Transferred(surrogate, steps), most))
    strong = Attacked(f"PGD {most:g}", PGD(steps=steps, confidence=driven), most)
    cases += [Processed(f"attacked {most:g}, then {name}", strong, name) for name in PROCESSING]
    if evaded:
        cases += [Evading(f"adaptive, {name} {middle:g}", middle, (name,), 2 * steps) for name in evaded]
        cases += [Evading(f"adaptive, fusion {grey:g}", grey, (), 2 * steps) for grey in epsilons]
    return tuple(cases)

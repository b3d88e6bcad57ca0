"""Each library's attacks under one call, given a case and nothing that the library has no word for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from who_can_cases import LEVELS, Case, Stopped  # type: ignore[import-not-found]

from napari_medadv.attacks import perturb
from napari_medadv.catalogue import entry
from napari_medadv.errors import Cancelled
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import Alone, Confuse, Goal, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume

Run = Callable[[Case], Tensor]


class NoWord(Exception):
    """The library has no argument for what the case asks."""


def _ask(kind: Any, case: Case, **words: str) -> dict[str, Any]:
    """The arguments of `kind` for what the case asks beyond epsilon, by the names that this library could give them."""
    known = inspect.signature(kind).parameters
    for asked in case.asks:
        if asked in ("cancel", "region", "levels") and words.get(asked) not in known:
            raise NoWord(asked)
    return {words["levels"]: LEVELS} if "levels" in case.asks else {}


def torchattacks(name: str, **settings: Any) -> Run:
    """An attack of torchattacks: images are in [0, 1], whatever they are."""

    def run(case: Case) -> Tensor:
        kind = getattr(importlib.import_module("torchattacks"), name)
        _ask(kind, case, cancel="callback", region="mask", levels="levels")
        classes = {"n_classes": case.classes} if name == "AutoAttack" else {}
        found: Tensor = kind(case.asked(), eps=case.epsilon, **classes, **settings)(case.inputs, case.labels)
        return found

    return run


def foolbox(name: str, **settings: Any) -> Run:
    """An attack of Foolbox."""

    def run(case: Case) -> Tensor:
        library = importlib.import_module("foolbox")
        kind = getattr(library.attacks, name)
        _ask(kind, case, cancel="callback", region="mask", levels="levels")
        model = library.PyTorchModel(case.asked(), bounds=case.bounds, device="cpu")
        attack = kind(**settings)
        epsilon = None if name == "HopSkipJumpAttack" else case.epsilon
        return torch.as_tensor(attack(model, case.inputs, case.labels, epsilons=epsilon)[1])

    return run


def art(name: str, **settings: Any) -> Run:
    """An attack of ART."""

    def run(case: Case) -> Tensor:
        kind = getattr(importlib.import_module("art.attacks.evasion"), name)
        words = {"region": "region", "cancel": "callback", "levels": "levels"}
        if "region" not in case.asks or not name.startswith("ProjectedGradient"):
            _ask(kind, case, **words)
        estimators = importlib.import_module("art.estimators.classification")
        classes = max(case.classes, 1)
        asked = case.asked()
        if "query" in case.asks:
            estimator = estimators.BlackBoxClassifierNeuralNetwork(
                lambda values: asked(torch.from_numpy(values).float()).softmax(dim=1).numpy(),
                input_shape=tuple(case.inputs.shape[1:]),
                nb_classes=classes,
                clip_values=case.bounds,
            )
        else:
            estimator = estimators.PyTorchClassifier(
                asked,
                loss=nn.CrossEntropyLoss(),
                input_shape=tuple(case.inputs.shape[1:]),
                nb_classes=classes,
                clip_values=case.bounds,
                device_type="cpu",
            )
        extra = {"mask": np.broadcast_to(case.mask.numpy(), case.inputs.shape)} if "region" in case.asks else {}
        usual = {"eps": case.epsilon} | ({"eps_step": case.epsilon / 4} if "eps_step" in kind.attack_params else {})
        attack = kind(
            estimator, **{name: value for name, value in usual.items() if name in kind.attack_params}, **settings
        )
        labels = case.labels.numpy() if case.labels.ndim == 2 else np.eye(classes)[case.labels.numpy()]
        return torch.from_numpy(np.asarray(attack.generate(x=case.inputs.numpy(), y=labels, **extra), np.float32))

    return run


def adv_lib(name: str, **settings: Any) -> Run:
    """An attack of adversarial-library."""

    def run(case: Case) -> Tensor:
        kind = getattr(importlib.import_module("adv_lib.attacks"), name)
        known = inspect.signature(kind).parameters
        words = _ask(kind, case, region="mask", levels="levels", cancel="should_stop")
        epsilon = next((word for word in ("eps", "\N{GREEK SMALL LETTER EPSILON}") if word in known), None)
        given = {epsilon: case.epsilon} if epsilon else {}
        return torch.as_tensor(kind(case.asked(), case.inputs, case.labels, **given, **settings, **words))

    return run


def ours(name: str, **settings: Any) -> Run:
    """An attack of napari_medadv on a volume, as `medadv attack` runs it."""

    def run(case: Case) -> Tensor:
        low, high = case.bounds
        attack, found = entry(name, "napari_medadv.attacks")(**settings), []
        whole = case.inputs.ndim == 5
        labels = tuple(str(place) for place in range(max(case.outputs, 1)))
        sigmoid = case.outputs == 1 or case.labels.ndim == 2
        goal: Goal = Alone("0") if case.labels.ndim == 2 else Confuse()
        classifier = Classifier(
            case.asked(),
            Findings(labels, "sigmoid" if sigmoid else "softmax"),
            "stored value",
            reads="volume" if whole else "slices",
            white_box="query" not in case.asks,
        )
        slope = (high - low) / (LEVELS - 1)
        scale = Scale("stored value", 0, LEVELS - 1, np.array([slope]), np.array([low]))
        mask = case.mask.numpy() > 0 if "region" in case.asks else None

        def told(share: float, words: str) -> None:
            if "cancel" in case.asks and share > 0.3:
                raise Cancelled

        for values in case.inputs:
            voxels = ((values[0] if whole else values) - low) / slope
            volume = Volume(voxels.round().to(torch.int32).numpy(), np.eye(4), scale)
            threat = Threat(goal, Linf(case.epsilon), Region(mask[0] if mask is not None else None))
            try:
                done = perturb(classifier, volume, threat, attack, progress=told)
            except Cancelled:
                raise Stopped from None
            after = torch.from_numpy(done.adversarial.values()).float()
            found.append(after[None] if whole else after)
        return torch.stack(found)

    return run


LIBRARIES: dict[str, dict[str, Run]] = {
    "napari_medadv": {
        "pgd": ours("pgd"),
        "apgd_t": ours("apgd_t"),
        "auto_attack": ours("auto_attack", steps=20, queries=200),
        "square": ours("square"),
    },
    "torchattacks": {
        "PGD": torchattacks("PGD", steps=20),
        "APGD": torchattacks("APGD", steps=20, loss="dlr"),
        "AutoAttack": torchattacks("AutoAttack"),
        "Square": torchattacks("Square", n_queries=500),
    },
    "Foolbox": {
        "PGD": foolbox("LinfPGD", steps=40),
        "FMN": foolbox("LInfFMNAttack", steps=100),
        "HopSkipJump": foolbox("HopSkipJumpAttack", steps=3),
    },
    "ART": {
        "PGD": art("ProjectedGradientDescentPyTorch", max_iter=20, verbose=False),
        "APGD": art("AutoProjectedGradientDescent", max_iter=20, loss_type="difference_logits_ratio", verbose=False),
        "Square": art("SquareAttack", max_iter=300, verbose=False),
        "HopSkipJump": art("HopSkipJump", norm=np.inf, max_iter=3, max_eval=200, init_eval=20, verbose=False),
    },
    "adv-lib": {
        "PGD": adv_lib("pgd_linf", steps=40),
        "APGD": adv_lib("apgd", norm=float("inf"), n_iter=20, loss_function="dlr"),
        "APGD-T": adv_lib("apgd_targeted", norm=float("inf"), n_iter=20),
        "DDN": adv_lib("ddn", steps=40),
    },
}
"""Who is asked, and with which attacks: a gradient attack, the strongest there is, and one that only asks."""

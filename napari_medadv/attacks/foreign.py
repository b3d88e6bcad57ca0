"""Attacks of Foolbox (https://github.com/bethgelab/foolbox), torchattacks or ART, run inside our threat and judged like ours."""

from __future__ import annotations

import importlib
import inspect
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.smallest import SURE, Smallest
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError, MedAdvError, MissingExtra
from napari_medadv.threat.ball import Norm

Library = Literal["torchattacks", "foolbox", "art"]
_PACKAGES = {"torchattacks": "torchattacks", "foolbox": "foolbox", "art": "adversarial-robustness-toolbox"}
_POWERS: dict[Norm, float] = {"Linf": math.inf, "L2": 2, "L1": 1}


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another library's attack on a two-class view of the classifier: goal missed, goal reached.

    It sees the values scaled to [0, 1] over the range that the images use, and our seed; what it returns is projected,
    stored and judged by us. The library must be installed.

    Attributes
    ----------
    library
        Where the attack comes from.
    attack
        The name of its class there.
    settings
        Its own settings as `name=value`; epsilon, a step of a quarter of it, and the norm are filled in from the budget.
    """

    needs_gradient: ClassVar[bool] = False
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2", "L1", "L0")
    needs_settings: ClassVar[tuple[str, ...]] = ("attack",)

    library: Library = "torchattacks"
    attack: str = "PGD"
    settings: tuple[str, ...] = ()

    def __call__(self, task: Task) -> Tensor:
        """What the other library found, in the unit of the volume."""
        found = []
        for entry in range(len(task)):
            task.report(entry, len(task))
            one = task.take(torch.tensor([entry], device=task.clean.device))
            found.append(self._kept(one, self._one(one)))
        return torch.cat(found)

    def _kept(self, task: Task, values: Tensor) -> Tensor:
        """What can be stored of it: without what is no number, and past the decision where only rounding took it back."""
        if values.numel() != task.clean.numel():
            return values
        values = values.view_as(task.clean)  # some give a volume an axis more
        if not bool(values.isfinite().all()):
            task.note(
                f"{self.library}'s {self.attack} gave back values that are no numbers; they were left as they were."
            )
            values = torch.where(values.isfinite(), values, task.clean)
        inside = task.admit(values)
        smallest, stored = Smallest(task), task.stored(inside)
        if not bool(smallest.see(stored, task.margin(stored))) and bool(task.margin(inside) > SURE):
            smallest.lengthen(inside - task.clean)
            if bool(smallest.found):
                task.note(
                    f"What {self.library}'s {self.attack} found was lost in rounding, and its change made longer."
                )
                return smallest.values
        return values

    def _one(self, task: Task) -> Tensor:
        view = _View(task)
        epsilon = task.budget.epsilon / (1.0 if task.budget.norm == "L0" else float(view.span))
        given = {name: _read(value) for name, _, value in (setting.partition("=") for setting in self.settings)}
        truth = torch.zeros(1, dtype=torch.int64, device=task.clean.device)
        run = {"torchattacks": _torchattacks, "foolbox": _foolbox, "art": _art}[self.library]
        try:
            with _seeded(task):
                scaled = run(self.attack, view, view.scaled(task.clean), truth, epsilon, given)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == self.library:
                raise MissingExtra(_PACKAGES[self.library], "peers", f"{self.library}'s {self.attack}") from error
            raise AttackError(
                f"{self.library}'s {self.attack} needs the package {error.name}, which is not installed: install it."
            ) from error
        except MedAdvError:
            raise
        except Exception as error:  # whatever a library that is not ours makes of these settings
            if not task.classifier.white_box and "grad" in str(error):
                raise AttackError(
                    f"{self.library}'s {self.attack} needs gradients, and {task.classifier.name} only answers queries: "
                    "choose an attack that needs none, or attach the network in a white-box format."
                ) from error
            raise AttackError(
                f"{self.library} cannot run {self.attack} with {', '.join(self.settings) or 'its own settings'} ({error}): "
                "check the name and the settings in its documentation."
            ) from error
        return view.native(scaled.detach())


@contextmanager
def _seeded(task: Task) -> Iterator[None]:
    """Draw by our seed what others draw from the generators of the process, which are as before in the end."""
    seed = int(torch.randint(2**31, (1,), generator=task.rng))
    of_numpy, of_python = np.random.get_state(), random.getstate()
    cards = [task.clean.device] if task.clean.is_cuda else []
    try:
        with torch.random.fork_rng(devices=cards):
            torch.manual_seed(seed)
            np.random.seed(seed)
            random.seed(seed)
            yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)


class _View(nn.Module):
    """One entry's classifier over [0, 1], with two classes: the goal is missed, the goal is reached."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        low, high = (limit.flatten()[0] for limit in extremes(task))
        reach = task.budget.epsilon if task.budget.norm == "Linf" else 0.0
        self.low = torch.maximum(low - reach, task.lowest.amin())
        high = torch.minimum(high + reach, task.highest.amax())
        self.span = (high - self.low).clamp_min(1e-12)
        self.flat = task.clean.shape[2] == 1
        self.device_marker = nn.Parameter(torch.zeros(1, device=task.clean.device), requires_grad=False)
        self.eval()

    def scaled(self, values: Tensor) -> Tensor:
        found = ((values - self.low) / self.span).clamp(0, 1)
        return found.squeeze(2) if self.flat else found

    def native(self, scaled: Tensor) -> Tensor:
        found = scaled.to(self.low) * self.span + self.low
        return found.unsqueeze(2) if self.flat else found

    def forward(self, scaled: Tensor) -> Tensor:
        values = self.native(scaled)
        rows = torch.zeros(len(values), dtype=torch.int64, device=values.device)
        part = self.task if len(rows) == 1 else self.task.take(rows)
        if values.requires_grad:
            part.tally.gradients += len(values)
        goal, findings = part.threat.goal, part.classifier.findings
        with torch.set_grad_enabled(torch.is_grad_enabled() and part.classifier.white_box):
            odds = goal.margin(part.logits(values), findings, part.decided)
        return torch.stack([torch.zeros_like(odds), odds], dim=1)


def _torchattacks(
    name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]
) -> Tensor:
    kind = getattr(importlib.import_module("torchattacks"), name)
    usual = {"eps": epsilon, "alpha": epsilon / 4}
    found: Tensor = kind(view, **{**_known(kind, usual), **given})(inputs, truth)
    return found


def _foolbox(name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]) -> Tensor:
    library = importlib.import_module("foolbox")
    model = library.PyTorchModel(view, bounds=(0, 1), device=inputs.device)
    kind = getattr(library.attacks, name)
    usual = {"distance": getattr(library.distances, view.task.budget.norm.lower())}
    found, _, _ = kind(**{**_known(kind, usual), **given})(model, inputs, truth, epsilons=epsilon)
    return torch.as_tensor(found)


def _art(name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]) -> Tensor:
    evasion = importlib.import_module("art.attacks.evasion")
    kind = importlib.import_module("art.estimators.classification").PyTorchClassifier
    estimator = kind(
        view, loss=nn.CrossEntropyLoss(), input_shape=tuple(inputs.shape[1:]), nb_classes=2, clip_values=(0.0, 1.0)
    )
    attack = getattr(evasion, name)
    usual: dict[str, Any] = {"eps": epsilon, "eps_step": epsilon / 4}
    norm = inspect.signature(attack).parameters.get("norm")
    if norm is not None and norm.default == math.inf and view.task.budget.norm in _POWERS:
        usual["norm"] = _POWERS[view.task.budget.norm]
    settings = {**_known(attack, usual), **given}
    return torch.from_numpy(attack(estimator, **settings).generate(x=inputs.cpu().numpy(), y=truth.cpu().numpy()))


def _known(kind: Any, usual: dict[str, Any]) -> dict[str, Any]:
    """Of the usual settings, those that an attack has."""
    return {name: value for name, value in usual.items() if name in inspect.signature(kind).parameters}


def _read(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)

"""Attacks of Foolbox (https://github.com/bethgelab/foolbox), torchattacks or ART, run inside our threat and judged like ours."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from napari_medadv.attacks.attack import Aim, Knowledge
from napari_medadv.attacks.extremes import extremes
from napari_medadv.attacks.task import Task
from napari_medadv.errors import AttackError, MedAdvError, MissingExtra

Library = Literal["torchattacks", "foolbox", "art"]
_PACKAGES = {"torchattacks": "torchattacks", "foolbox": "foolbox", "art": "adversarial-robustness-toolbox"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another library's attack on a two-class view of the classifier: goal missed, goal reached.

    It sees the values scaled to [0, 1] over the range that the images use; what it returns is projected, stored and
    judged by us. The library must be installed.

    Attributes
    ----------
    library
        Where the attack comes from.
    attack
        The name of its class there.
    settings
        Its own settings as `name=value`; epsilon, and a step of a quarter of it, are filled in from the budget.
    """

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf", "L2")
    needs_settings: ClassVar[tuple[str, ...]] = ("attack",)

    library: Library = "torchattacks"
    attack: str = "PGD"
    settings: tuple[str, ...] = ()

    def __call__(self, task: Task) -> Tensor:
        """What the other library found, in the unit of the volume."""
        found = []
        for entry in range(len(task)):
            task.report(entry, len(task))
            found.append(self._one(task.take(torch.tensor([entry], device=task.clean.device))))
        return torch.cat(found)

    def _one(self, task: Task) -> Tensor:
        view = _View(task)
        epsilon = task.budget.epsilon / float(view.span)
        given = {name: _read(value) for name, _, value in (setting.partition("=") for setting in self.settings)}
        truth = torch.zeros(1, dtype=torch.int64, device=task.clean.device)
        try:
            inputs = view.scaled(task.clean)
            scaled = {"torchattacks": _torchattacks, "foolbox": _foolbox, "art": _art}[self.library](
                self.attack, view, inputs, truth, epsilon, given
            )
        except ModuleNotFoundError as error:
            raise MissingExtra(_PACKAGES[self.library], "peers", f"{self.library}'s {self.attack}") from error
        except MedAdvError:
            raise
        except Exception as error:  # whatever a library that is not ours makes of these settings
            raise AttackError(
                f"{self.library} cannot run {self.attack} with {', '.join(self.settings) or 'its own settings'} ({error}): "
                "check the name and the settings in its documentation."
            ) from error
        return view.native(scaled.detach())


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
        odds = goal.margin(part.logits(values), findings, part.decided)
        return torch.stack([torch.zeros_like(odds), odds], dim=1)


def _torchattacks(
    name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]
) -> Tensor:
    kind = getattr(importlib.import_module("torchattacks"), name)
    known = inspect.signature(kind).parameters
    usual = {"eps": epsilon, "alpha": epsilon / 4}
    found: Tensor = kind(
        view, **{name: value for name, value in usual.items() if name in known and name not in given}, **given
    )(inputs, truth)
    return found


def _foolbox(name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]) -> Tensor:
    library = importlib.import_module("foolbox")
    model = library.PyTorchModel(view, bounds=(0, 1), device=inputs.device)
    _, found, _ = getattr(library.attacks, name)(**given)(model, inputs, truth, epsilons=epsilon)
    return torch.as_tensor(found)


def _art(name: str, view: _View, inputs: Tensor, truth: Tensor, epsilon: float, given: dict[str, Any]) -> Tensor:
    evasion = importlib.import_module("art.attacks.evasion")
    kind = importlib.import_module("art.estimators.classification").PyTorchClassifier
    estimator = kind(
        view, loss=nn.CrossEntropyLoss(), input_shape=tuple(inputs.shape[1:]), nb_classes=2, clip_values=(0.0, 1.0)
    )
    attack = getattr(evasion, name)
    settings = {"eps": epsilon, **given} if "eps" in attack.attack_params else given
    return torch.from_numpy(attack(estimator, **settings).generate(x=inputs.cpu().numpy(), y=truth.cpu().numpy()))


def _read(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)

"""The peers' attacks under one call: (network, inputs, labels) -> adversarial, inputs in [0, 1]; each imported when it is used."""

from __future__ import annotations

import importlib
import importlib.machinery
import logging
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Call = Callable[[nn.Module, Tensor, Tensor], Tensor]


class _Anything(types.ModuleType):
    """Stands for a package that a peer imports and that nothing called here uses."""

    __path__ = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _stub(*names: str) -> None:
    for name in names:
        module = _Anything(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules.setdefault(name, module)


_stub(
    "torchvision",
    "torchvision.models",
    "torchvision.transforms",
    "torchvision.datasets",
    "torchvision.transforms.functional",
)
_stub("visdom", "wandb", "wandb.sdk")
_stub("cleverhans", "cleverhans.torch", "cleverhans.torch.attacks")
_stub(
    *(
        f"cleverhans.torch.attacks.{name}"
        for name in (
            "carlini_wagner_l2",
            "fast_gradient_method",
            "hop_skip_jump_attack",
            "projected_gradient_descent",
            "spsa",
        )
    )
)


def _from(module: str) -> Any:
    return importlib.import_module(module)


def torchattacks(name: str, **settings: Any) -> Call:
    """An attack of torchattacks."""
    return lambda network, inputs, labels: getattr(_from("torchattacks"), name)(network, **settings)(inputs, labels)


def foolbox(name: str, epsilon: float | None, **settings: Any) -> Call:
    """An attack of Foolbox."""

    def call(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        model = _from("foolbox").PyTorchModel(network, bounds=(0, 1), device="cpu")
        _, found, _ = getattr(_from("foolbox.attacks"), name)(**settings)(model, inputs, labels, epsilons=epsilon)
        return torch.as_tensor(found)

    return call


def art(name: str, classes: int, **settings: Any) -> Call:
    """An attack of the Adversarial Robustness Toolbox."""

    def call(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        logging.disable(logging.CRITICAL)
        classifier = _from("art.estimators.classification").PyTorchClassifier(
            network,
            loss=nn.CrossEntropyLoss(),
            input_shape=tuple(inputs.shape[1:]),
            nb_classes=classes,
            clip_values=(0.0, 1.0),
            device_type="cpu",
        )
        attack = getattr(_from("art.attacks.evasion"), name)(classifier, **settings)
        truth = nn.functional.one_hot(labels, classes).numpy()
        return torch.from_numpy(np.asarray(attack.generate(x=inputs.numpy(), y=truth), dtype=np.float32))

    return call


def adv_lib(name: str, **settings: Any) -> Call:
    """An attack of adversarial-library."""
    return lambda network, inputs, labels: getattr(_from("adv_lib.attacks"), name)(network, inputs, labels, **settings)

"""Toy classifiers and volumes of every shape that an attack must honour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L0, L1, L2, Budget, Conceal, Confuse, Fabricate, Goal, Linf, Region, Threat
from napari_medadv.volume import Array, Scale, Volume


class Counted:
    """A small network that counts the inputs it has seen."""

    def __init__(self, weight: Tensor, bias: Tensor, hidden: Tensor | None = None) -> None:
        self.weight, self.bias, self.hidden, self.seen = weight, bias, hidden, 0

    def __call__(self, values: Tensor) -> Tensor:
        self.seen += len(values)
        return self.raw(values) + self.bias

    def raw(self, values: Tensor) -> Tensor:
        flat = values.flatten(1)
        if self.hidden is not None:
            flat = 2 * torch.tanh(flat @ self.hidden)
        return flat @ self.weight


@dataclass(frozen=True)
class Toy:
    classifier: Classifier
    volume: Volume
    goal: Goal
    region: Region

    @property
    def network(self) -> Counted:
        assert isinstance(self.classifier.network, Counted)
        return self.classifier.network

    def threat(self, norm: str, scale: float = 1.0) -> Threat:
        budgets: dict[str, Budget] = {
            "Linf": Linf(8 * scale),
            "L2": L2(60 * scale),
            "L1": L1(500 * scale),
            "L0": L0(max(1, round(8 * scale))),
        }
        return Threat(self.goal, budgets[norm], self.region)


TOYS = ("two classes", "four classes", "several labels", "one logit", "colour", "whole volume")


def toy(name: str, seed: int = 0, *, white_box: bool = True) -> Toy:
    rng = np.random.default_rng(seed)
    region, slope, intercept, padding, unit, photometric = Region(), 1.0, 0.0, None, "stored value", "MONOCHROME2"
    lowest, highest, dtype = 0, 4095, "uint16"
    shape: tuple[int, ...] = (2, 8, 8)
    base = rng.integers(1000, 1200, (1, *shape[1:]))
    goal: Goal = Conceal("a")
    labels: tuple[str, ...] = ("a", "b")
    activation = "softmax"
    decide = [1.0, 0.0]
    if name in ("two classes", "smooth"):
        lowest, highest, dtype, unit, intercept = -2048, 2047, "int16", "HU", -1024.0
        base = base - 1000
    elif name == "four classes":
        labels, decide, goal = ("a", "b", "c", "d"), [1.0, 0.2, 0.0, -0.5], Confuse()
    elif name == "several labels":
        labels, decide, goal, activation = ("a", "b", "c"), [-1.0, 1.0, -2.0], Fabricate("a"), "sigmoid"
    elif name == "one logit":
        labels, decide, activation = ("a",), [1.0], "sigmoid"
        mask = np.ones(shape, bool)
        mask[:, :2] = False
        region, padding = Region(mask), (0, 20)
        base[:, :, 0] = 3
        base[:, :, 1] = 22
    elif name == "colour":
        shape, unit, highest, dtype, photometric = (2, 8, 8, 3), "level", 255, "uint8", "RGB"
        base = rng.integers(0, 256, (1, 8, 8, 3))
    elif name == "whole volume":
        shape, slope, highest = (4, 8, 8), 0.5, 4095
        base = rng.integers(1000, 1200, (1, 8, 8))
        region = Region(slices=(1, 2))
    voxels: Array = np.clip(base + rng.integers(-2, 3, shape), lowest, highest).astype(dtype)
    scale = Scale(unit, lowest, highest, np.array([slope]), np.array([intercept]), padding)
    volume = Volume(voxels, np.eye(4), scale, photometric=photometric)
    reads = "volume" if name == "whole volume" else "slices"
    generator = torch.Generator().manual_seed(seed)
    count = int(np.prod(shape if reads == "volume" else shape[1:]))
    free = count / (2 if reads == "volume" else 1)
    weight = torch.randn(count, len(labels), generator=generator) * 0.02 * (64 / free) ** 0.5
    hidden = None
    if name == "four classes":
        hidden = torch.randn(count, 12, generator=generator) * 0.005
        weight = torch.randn(12, len(labels), generator=generator)
    if name == "smooth":
        weight = torch.tensor([[0.01, -0.01]]).expand(count, -1)
    network = Counted(weight, torch.zeros(len(labels)), hidden)
    values = torch.from_numpy(np.ascontiguousarray(volume.values()))
    values = values.movedim(3, 1) if volume.colour else values
    clean = (values[None] if reads == "volume" else values[:1]).reshape(1, -1)
    network.bias = torch.tensor(decide) - network.raw(clean)[0]
    findings = Findings(labels, "softmax" if activation == "softmax" else "sigmoid")
    classifier = Classifier(
        network,
        findings,
        "HU" if unit == "HU" else "level" if unit == "level" else "stored value",
        reads="volume" if reads == "volume" else "slices",
        white_box=white_box,
    )
    return Toy(classifier, volume, goal, region)

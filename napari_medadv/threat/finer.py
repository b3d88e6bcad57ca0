"""Goals that name more than one decision: a finding alone, two findings swapped, a given confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_medadv.errors import ThreatError
from napari_medadv.prediction import Findings, Prediction
from napari_medadv.threat.goal import Conceal, Fabricate, presence


@dataclass(frozen=True, slots=True)
class Alone:
    """The finding `label` is concealed or fabricated while every other label stays as it was.

    For classifiers with a probability of its own for each label. Where slices are read, each attacked slice keeps
    its own other labels.
    """

    label: str
    wish: Literal["conceal", "fabricate"] = "conceal"

    def check(self, findings: Findings) -> None:
        """Refuse a classifier whose labels exclude one another, and a label it has not."""
        findings.index(self.label)
        if findings.activation == "softmax" or len(findings.labels) < 2:
            raise ThreatError(
                f"The other labels cannot stay while {self.label!r} changes, because this classifier gives one decision over "
                f"{', '.join(findings.labels)}: choose conceal or fabricate."
            )

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The least of how far the wish is reached and how far each other label is from changing."""
        return self._all(logits, findings, decided).amin(dim=1)

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """A smooth least."""
        return -(-self._all(logits, findings, decided)).logsumexp(dim=1)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The one way there is."""
        return self.margin(logits, findings, decided)[:, None]

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """The wish is reached, and the series' other labels are those from before."""
        others = [{label for label in found.present if label != self.label} for found in (before, after)]
        return self._goal.reached(before, after, slices) and others[0] == others[1]

    @property
    def _goal(self) -> Conceal | Fabricate:
        return Conceal(self.label) if self.wish == "conceal" else Fabricate(self.label)

    def _all(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        wished = decided.clone()
        wished[:, findings.index(self.label)] = self.wish == "fabricate"
        away = presence(logits, findings)
        return torch.where(wished, away, -away)


@dataclass(frozen=True, slots=True)
class Swap:
    """The finding `hidden` is no longer present and the finding `shown` is."""

    hidden: str
    shown: str

    def check(self, findings: Findings) -> None:
        """Refuse labels that the classifier has not, or one label twice."""
        findings.index(self.hidden)
        findings.index(self.shown)
        if self.hidden == self.shown:
            raise ThreatError(f"{self.hidden!r} cannot be swapped with itself: name two labels.")

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The nearer of the two to its decision."""
        return self._both(logits, findings).amin(dim=1)

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """A smooth least of the two."""
        return -(-self._both(logits, findings, smooth=True)).logsumexp(dim=1)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The one way there is."""
        return self.margin(logits, findings, decided)[:, None]

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """Every attacked slice lacks the one, and the series shows the other."""
        hidden, shown = Conceal(self.hidden), Fabricate(self.shown)
        return hidden.reached(before, after, slices) and shown.reached(before, after, slices)

    def _both(self, logits: Tensor, findings: Findings, *, smooth: bool = False) -> Tensor:
        away = presence(logits, findings, smooth=smooth)
        return torch.stack([-away[:, findings.index(self.hidden)], away[:, findings.index(self.shown)]], dim=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """The probability of `label` rises to `probability` at least, or falls to it at most."""

    label: str
    probability: float
    way: Literal["at least", "at most"] = "at least"

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ThreatError(f"A probability of {self.probability:g} cannot be reached: give one between 0 and 1.")

    def check(self, findings: Findings) -> None:
        """Refuse a label that the classifier has not."""
        findings.index(self.label)

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Log-odds of the label beyond those that are wished."""
        place = findings.index(self.label)
        away = logits[:, place]
        if findings.activation == "softmax":
            away = away - torch.cat([logits[:, :place], logits[:, place + 1 :]], dim=1).logsumexp(dim=1)
        away = away - math.log(self.probability / (1 - self.probability))
        return away if self.way == "at least" else -away

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The margin: it is smooth."""
        return self.margin(logits, findings, decided)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The one way there is."""
        return self.margin(logits, findings, decided)[:, None]

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """The series' score has risen that far; or that of every attacked slice has fallen that far."""
        place = after.findings.index(self.label)
        if self.way == "at least":
            return bool(after.probabilities[place] > self.probability)
        scores = after.probabilities[None] if after.slices is None else after.slices[list(slices)]
        return bool((scores[:, place] < self.probability).all())

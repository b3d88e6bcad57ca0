"""Goal: what the adversary wants the classifier to say, in the reader's words.

`margin` has three uses: the loss an attack may climb, the test of success (above zero is reached), the number a
person sees. `odds` is its smooth sister: the log-odds of the goal. Its gradient is a positive multiple, entry by
entry, of that of the cross-entropy that the literature climbs, so sign and normalised steps are the same; but it
does not vanish when the classifier is sure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from napari_medadv.prediction import Findings, Prediction

NO_WAY = -1e8
"""A way that is no nearer than this, in logits, is none: the goal cannot be reached by it."""


def known(heights: Tensor) -> int:
    """How many ways of reaching the goal there are, from `Goal.ways`, in the entry that has most; one at least."""
    return max(1, int((heights > NO_WAY).sum(dim=1).amax()))


@runtime_checkable
class Goal(Protocol):
    """What the adversary wants.

    `logits` are float32, (batch, label); `decided` is bool, (batch, label): what was present in the clean series
    that each entry belongs to. Results are (batch,), in logits.
    """

    def check(self, findings: Findings) -> None:
        """Refuse what this classifier cannot be asked."""
        ...

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """How far past the decision: above zero means reached."""
        ...

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Log-odds of the goal: smooth everywhere."""
        ...

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """How near each way of reaching the goal is: (batch, ways); reached where one is above zero."""
        ...

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """Whether the prediction `after` is as wished, where `slices` were attacked."""
        ...


def presence(logits: Tensor, findings: Findings, *, smooth: bool = False) -> Tensor:
    """How far each label is past its decision: (batch, label), above zero means present.

    Where the highest logit decides, this is the distance to the highest other logit, or, when `smooth`, to the
    log-sum-exp of all others.
    """
    thresholds = [findings.threshold(label) for label in findings.labels]
    offsets = [0.0 if threshold is None else math.log(threshold / (1 - threshold)) for threshold in thresholds]
    away = logits
    if findings.activation == "softmax":
        itself = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
        others = logits[:, None, :].masked_fill(itself, -math.inf)
        if smooth or None not in thresholds:
            away = logits - others.logsumexp(dim=2)
        elif findings.thresholds:
            hard = torch.tensor([threshold is None for threshold in thresholds], device=logits.device)
            away = logits - torch.where(hard, others.amax(dim=2), others.logsumexp(dim=2))
        else:
            away = logits - others.amax(dim=2)
    return away - torch.tensor(offsets, device=logits.device, dtype=logits.dtype) if any(offsets) else away


def _rivals(logits: Tensor, own: Tensor) -> Tensor:
    """How far each label is above the label `own` (int64, (batch,)): (batch, label), far below zero for `own` itself."""
    away = logits - logits.gather(1, own[:, None])
    return away.scatter(1, own[:, None], 10 * NO_WAY)


def _argmax_decides(findings: Findings) -> bool:
    return findings.activation == "softmax" and not findings.thresholds


def one_decides(findings: Findings, decided: Tensor) -> bool:
    """Whether the highest logit decides, and one label is present in each entry."""
    return _argmax_decides(findings) and bool((decided.sum(dim=1) == 1).all())


def _own(logits: Tensor, decided: Tensor) -> Tensor:
    return (logits * decided).sum(dim=1)


def _others(logits: Tensor, decided: Tensor) -> Tensor:
    return logits.masked_fill(decided, -math.inf)


@dataclass(frozen=True, slots=True)
class Conceal:
    """The finding `label` is no longer present: in every attacked slice, or in the volume."""

    label: str

    def check(self, findings: Findings) -> None:
        """Refuse a label that the classifier has not."""
        findings.index(self.label)

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Distance below the decision for `label`."""
        return -presence(logits, findings)[:, findings.index(self.label)]

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Log-odds against `label`."""
        return -presence(logits, findings, smooth=True)[:, findings.index(self.label)]

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Each other label that could stand instead, or the one decision."""
        if not _argmax_decides(findings):
            return self.margin(logits, findings, decided)[:, None]
        place = findings.index(self.label)
        return _rivals(logits, torch.full((len(logits),), place, device=logits.device))

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """Every attacked slice (or the volume) lacks `label`."""
        place = after.findings.index(self.label)
        scores = after.probabilities[None] if after.slices is None else after.slices[list(slices)]
        return not bool(after.findings.present(scores)[:, place].any())


@dataclass(frozen=True, slots=True)
class Fabricate:
    """The finding `label` becomes present in the series."""

    label: str

    def check(self, findings: Findings) -> None:
        """Refuse a label that the classifier has not."""
        findings.index(self.label)

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Distance above the decision for `label`."""
        return presence(logits, findings)[:, findings.index(self.label)]

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Log-odds of `label`."""
        return presence(logits, findings, smooth=True)[:, findings.index(self.label)]

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The one way there is."""
        return self.margin(logits, findings, decided)[:, None]

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """The series' score shows `label`."""
        return self.label in after.present


@dataclass(frozen=True, slots=True)
class Confuse:
    """Any other decision than that of the clean series."""

    def check(self, findings: Findings) -> None:
        """Every classifier can be confused."""

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Distance past the nearest decision that would be another one."""
        if one_decides(findings, decided):
            return self.lead(logits, decided)
        away = presence(logits, findings)
        return torch.where(decided, -away, away).amax(dim=1)

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Log-odds against the clean decision."""
        if one_decides(findings, decided):
            return _others(logits, decided).logsumexp(dim=1) - _own(logits, decided)
        away = presence(logits, findings, smooth=True)
        away = torch.where(decided, -away, away)
        if findings.activation == "softmax":
            away = away.masked_fill(~decided & decided.any(dim=1, keepdim=True), -math.inf)
        return away.logsumexp(dim=1)

    def lead(self, logits: Tensor, decided: Tensor) -> Tensor:
        """The margin where `one_decides`."""
        return _others(logits, decided).amax(dim=1) - _own(logits, decided)

    def slope(self, logits: Tensor, decided: Tensor) -> Tensor:
        """The gradient of the odds to the logits, (batch, label), where `one_decides`."""
        return _others(logits, decided).softmax(dim=1).masked_fill_(decided, -1.0)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Each label that could change."""
        if one_decides(findings, decided):
            return _rivals(logits, decided.to(torch.int64).argmax(dim=1))
        away = presence(logits, findings)
        return torch.where(decided, -away, away)

    def reached(self, before: Prediction, after: Prediction, slices: tuple[int, ...]) -> bool:
        """The labels present in the series are not those from before."""
        return after.present != before.present


@dataclass(frozen=True, slots=True)
class Losing(Confuse):
    """`Confuse` as one slice of a series with several findings serves it: `label` goes (everywhere), or a new one comes.

    That a slice lacks a finding that another slice shows changes nothing of what the series is said to show.
    """

    label: str = ""

    def margin(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """The nearest of these ways."""
        return self.ways(logits, findings, decided).amax(dim=1)

    def odds(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """A smooth greatest."""
        return self._ways(presence(logits, findings, smooth=True), findings, decided).logsumexp(dim=1)

    def ways(self, logits: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        """Each label that could change what the series shows."""
        return self._ways(presence(logits, findings), findings, decided)

    def _ways(self, away: Tensor, findings: Findings, decided: Tensor) -> Tensor:
        elsewhere = decided.clone()
        elsewhere[:, findings.index(self.label)] = False
        return torch.where(decided, -away, away).masked_fill(elsewhere, 10 * NO_WAY)

"""Findings and Prediction: what a classifier can say, and what it said of one volume."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_medadv.errors import UnknownLabel


@dataclass(frozen=True, slots=True)
class Findings:
    """The labels of a classifier, how its logits become probabilities, and where each label's decision lies.

    A label is *present* when its probability lies above its operating threshold; under softmax, a label without
    a threshold is present when its probability is the highest.
    """

    labels: tuple[str, ...]
    activation: Literal["softmax", "sigmoid"]
    thresholds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be given, each once")
        if self.activation == "softmax" and len(self.labels) < 2:
            raise ValueError("softmax needs at least two labels; a single logit is a sigmoid")
        for label, threshold in self.thresholds.items():
            if label not in self.labels or not 0 < threshold < 1:
                raise ValueError(f"the threshold {threshold} of {label!r} is none")

    def index(self, label: str) -> int:
        """The place of `label` among the labels."""
        if label not in self.labels:
            raise UnknownLabel(
                f"The classifier has no label {label!r}; its labels are {', '.join(map(repr, self.labels))}."
            )
        return self.labels.index(label)

    def threshold(self, label: str) -> float | None:
        """The operating threshold of `label` as a probability; None where the highest probability decides."""
        default = 0.5 if self.activation == "sigmoid" else None
        return self.thresholds.get(label, default)

    def present(self, probabilities: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which labels are present: bool, (..., label), from probabilities (..., label)."""
        others = np.stack(
            [np.delete(probabilities, place, axis=-1).max(axis=-1, initial=-1.0) for place in range(len(self.labels))],
            axis=-1,
        )
        limits = [self.threshold(label) for label in self.labels]
        decided = [others[..., i] if limit is None else limit for i, limit in enumerate(limits)]
        return np.stack([probabilities[..., i] > limit for i, limit in enumerate(decided)], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a classifier says of one volume.

    Attributes
    ----------
    findings
        The labels and how they are decided.
    probabilities
        float64, (label,): the series' score.
    slices
        float64, (z, label): the score of every slice, or None where the classifier reads whole volumes.
    pooling
        How the scores of slices became that of the series.
    """

    findings: Findings
    probabilities: npt.NDArray[np.float64]
    slices: npt.NDArray[np.float64] | None = None
    pooling: Literal["max", "mean"] = "max"

    @classmethod
    def pooled(cls, findings: Findings, slices: npt.NDArray[np.float64], pooling: Literal["max", "mean"]) -> Prediction:
        """What is said of a series from what is said of its slices, (z, label)."""
        return cls(findings, slices.max(axis=0) if pooling == "max" else slices.mean(axis=0), slices, pooling)

    def __getitem__(self, label: str) -> float:
        """The probability of `label` for the whole series."""
        return float(self.probabilities[self.findings.index(label)])

    @property
    def exclusive(self) -> bool:
        """Whether one label at most is present: softmax, and no slice of its own decides."""
        alone = self.slices is None or len(self.slices) == 1 or self.pooling == "mean"
        return self.findings.activation == "softmax" and alone

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Which labels are present in the series: bool, (label,).

        Where the highest slice decides, these are the labels that are present in any slice: the highest scores of labels
        that exclude each other come from different slices, and cannot be held against each other.
        """
        if self.slices is None or self.pooling == "mean":
            return self.findings.present(self.probabilities)
        return np.logical_or.reduce(self.findings.present(self.slices), axis=0)  # type: ignore[no-any-return]

    @property
    def present(self) -> tuple[str, ...]:
        """The labels that are present in the series."""
        return tuple(label for label, there in zip(self.findings.labels, self.decided, strict=True) if there)

    @property
    def sentence(self) -> str:
        """The prediction in a few words: each label with its per cent, the present ones marked."""
        return ", ".join(
            f"{label} {100 * self[label]:.1f} %{'*' if label in self.present else ''}" for label in self.findings.labels
        )

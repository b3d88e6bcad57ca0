"""Classifier: a network, what it reads, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import ModelError, wrong_kind
from napari_medadv.model.intake import Intake, Unit, intake
from napari_medadv.model.spill import spilling, too_large
from napari_medadv.prediction import Findings, Prediction
from napari_medadv.progress import Progress, silent
from napari_medadv.volume import Array, Floats, Volume

Network = Callable[[Tensor], Tensor]


class Step(Protocol):
    """One step of preprocessing: tensor to tensor, differentiable; (batch, channel, y, x) or (batch, channel, z, y, x)."""

    def __call__(self, values: Tensor) -> Tensor:
        """The tensor after this step."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A network with its preprocessing and its findings.

    Attributes
    ----------
    network
        float32 (batch, channel, y, x) or (batch, channel, z, y, x) to logits (batch, label); frozen, in eval mode.
    findings
        Labels, activation, operating thresholds.
    unit
        What the first step expects.
    reads
        Whether one input is a slice or the whole volume.
    pooling
        How slice scores become the series score.
    steps
        The preprocessing, in order, after the unit.
    white_box
        Whether gradients reach the input; a query-only classifier just answers.
    name, sha256
        For records: the card's name, and the digest of the weights' file.
    batch
        How many slices are read at once.
    channels
        Of the series that it reads: 1 grey, 3 colour; 0 where nobody knows.
    facts
        Sentences on how its network was found to behave; they go beside its name.
    kept
        Bytes that a gradient keeps for each element of the network's input; where that is more than memory holds, it
        is kept on disk. 0 where nobody knows.
    """

    network: Network
    findings: Findings
    unit: Unit
    reads: Literal["slices", "volume"] = "slices"
    pooling: Literal["max", "mean"] = "max"
    steps: tuple[Step, ...] = ()
    white_box: bool = True
    name: str = "classifier"
    sha256: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    batch: int = 8
    channels: int = 0
    facts: tuple[str, ...] = ()
    kept: float = 0.0

    def tensor(self, volume: Volume, slices: Array | None = None) -> Tensor:
        """The values that the classifier reads: float32, (batch, channel, z, y, x), in the unit of the volume.

        Where it reads slices there is one batch entry for each of `slices` (all by default) and z = 1; otherwise
        there is one entry with all slices. This is where numpy becomes torch.
        """
        values = volume.values(np.arange(len(volume.voxels)) if slices is None or self.reads == "volume" else slices)
        values = np.moveaxis(values, 3, 0) if volume.colour else values[None]
        found = torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        return found.transpose(0, 1).unsqueeze(2) if self.reads == "slices" else found.unsqueeze(0)

    def intake(self, volume: Volume, slices: Array | None = None) -> Intake:
        """How the same slices reach the classifier's unit."""
        chosen = np.arange(len(volume.voxels)) if slices is None or self.reads == "volume" else slices
        return intake(volume, self.unit, chosen, len(chosen) if self.reads == "slices" else 1, self.device)

    def logits(self, values: Tensor, intake: Intake) -> Tensor:
        """Logits (batch, label) of `values` (batch, channel, z, y, x); differentiable where the classifier is white-box.

        Raises
        ------
        ModelError
            The network refuses the input, or answers with something else than finite logits.
        """
        if self.channels not in (0, values.shape[1]):
            reads, holds = ("colour" if count == 3 else "grey" for count in (self.channels, values.shape[1]))
            raise ModelError(
                f"{self.name} reads {reads} images of {self.channels} channels, and this series is {holds} with {values.shape[1]}: "
                "attach another classifier, or put a `repeat` or `grey` step into its card."
            )
        values = intake(values)
        if self.reads == "slices":
            values = values.squeeze(2)
        try:
            for step in self.steps:
                values = step(values)
            wide = self.kept and values.requires_grad and torch.is_grad_enabled() and too_large(self.kept, values)
            with spilling() if wide else nullcontext():
                found = self.network(values)
        except (RuntimeError, ValueError, IndexError) as error:
            words = str(error).strip().splitlines()
            if any("allocate" in line or "out of memory" in line for line in words):
                raise ModelError(
                    f"{self.name} needs more memory for an input of shape {tuple(values.shape)} than this machine has free: crop the "
                    "series, or run it where there is more."
                ) from error
            raise ModelError(
                f"The network of {self.name} refuses an input of shape {tuple(values.shape)} ({words[0] if words else type(error).__name__}): "
                "check the card's preprocessing and channels."
            ) from error
        if found.shape != (len(values), len(self.findings.labels)):
            raise ModelError(
                f"The network of {self.name} answers {tuple(found.shape)} to {len(values)} inputs, and the card names "
                f"{len(self.findings.labels)} labels: correct `labels` in the card."
            )
        return found

    def predict(self, volume: Volume, *, progress: Progress = silent) -> Prediction:
        """What the classifier says of `volume`.

        Raises
        ------
        ModelError
            The network refuses the input, or its answer is not finite.
        """
        if not isinstance(volume, Volume):
            raise ModelError(wrong_kind("What is to be read", volume, "a Volume", "make one by decode(scan(path)[0])"))
        entries = len(volume.voxels) if self.reads == "slices" else 1
        scores = []
        for start in range(0, entries, self.batch):
            progress(start / entries, "reading")
            chosen = np.arange(start, min(start + self.batch, entries))
            with torch.no_grad():
                found = self.logits(self.tensor(volume, chosen), self.intake(volume, chosen))
            if not bool(torch.isfinite(found).all()):
                raise ModelError(
                    f"The network of {self.name} answers NaN or infinity on this series: check the card's unit and preprocessing."
                )
            scores.append(self.probabilities(found))
        progress(1.0, "reading")
        slices = np.concatenate(scores)
        if self.reads == "volume":
            return Prediction(self.findings, slices[0])
        return Prediction.pooled(self.findings, slices, self.pooling)

    def probabilities(self, logits: Tensor) -> Floats:
        """Probabilities from logits, float64, of the same shape. This is where torch becomes numpy."""
        exact = logits.detach().double()
        found = exact.softmax(dim=-1) if self.findings.activation == "softmax" else exact.sigmoid()
        probabilities: Floats = found.cpu().numpy()
        return probabilities

"""Suspect: all that a detector may see of a series that may have been tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_medadv.dicom.series import Series
from napari_medadv.errors import DetectorError
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake
from napari_medadv.threat.goal import presence
from napari_medadv.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Suspect:
    """Some batch entries (slices, or one whole volume) under suspicion.

    Attributes
    ----------
    classifier, intake
        Who may have been fooled, and how values reach it.
    values
        float32, (batch, channel, z, y, x), in the unit of the volume.
    quantum
        float32, broadcastable to it: the step between grey levels.
    window
        Lowest and highest value of the default display window, in the unit of the volume.
    unit
        The unit of the volume.
    series
        The files, where they are known.
    seed
        Where a detector's randomness starts: the same for calibration and examination.
    """

    classifier: Classifier
    intake: Intake
    values: Tensor
    quantum: Tensor
    window: tuple[float, float]
    unit: str
    series: Series | None = None
    seed: int = 0

    def presence(self, values: Tensor) -> Tensor:
        """How far past its decision each label is: (batch, label), in logits."""
        return presence(self.classifier.logits(values, self.intake), self.classifier.findings)

    def held(self, values: Tensor, before: Tensor) -> Tensor:
        """How far each decision of `before` (batch, label) has weakened at `values`: (batch,), the largest over the labels."""
        sign = torch.where(before > 0, 1.0, -1.0)
        return (sign * (before - self.presence(values))).amax(dim=1)

    def confidence(self, values: Tensor, decided: Tensor) -> Tensor:
        """How far the nearest of the `decided` (batch, label) decisions is from turning: (batch,), in logits."""
        away = self.presence(values)
        return torch.where(decided, away, -away).amin(dim=1)

    @property
    def range(self) -> float:
        """The width of the display window."""
        return max(self.window[1] - self.window[0], float(self.quantum.max()))

    def generator(self) -> torch.Generator:
        """The only source of randomness."""
        return torch.Generator().manual_seed(self.seed)

    def at(self, values: Tensor) -> Suspect:
        """The same entries with other values; for attacks that know the detector."""
        return Suspect(
            self.classifier, self.intake, values, self.quantum, self.window, self.unit, self.series, self.seed
        )


def suspects(classifier: Classifier, volume: Volume, series: Series | None = None) -> Iterator[Suspect]:
    """A volume, in batches that the classifier reads at once.

    Raises
    ------
    DetectorError
        Its pixels are floating point numbers.
    """
    if volume.real:
        raise DetectorError(
            "This series stores floating point numbers, which have no grey levels that a detector could look at: choose a series "
            "of integer pixels."
        )
    whole = classifier.reads == "volume"
    size = len(volume.voxels) if whole else classifier.batch
    for start in range(0, len(volume.voxels), size):
        chosen = np.arange(start, min(start + size, len(volume.voxels)))
        quantum = torch.from_numpy(volume.scale.take(chosen).quantum.astype(np.float32))
        yield Suspect(
            classifier,
            classifier.intake(volume, chosen),
            classifier.tensor(volume, chosen),
            quantum.expand(len(chosen)).view((1, 1, -1, 1, 1) if whole else (-1, 1, 1, 1, 1)),
            volume.window.limits,
            volume.scale.unit,
            series,
        )

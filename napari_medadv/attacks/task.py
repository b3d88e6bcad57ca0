"""Task: all that an attack may see or do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from napari_medadv.attacks.grid import Grid, Unrounded
from napari_medadv.attacks.loss import Loss, climbed
from napari_medadv.attacks.rising import Trust, classified, judged, rising
from napari_medadv.attacks.tally import Tally
from napari_medadv.model.arithmetic import Arithmetic, Settled, swiftest
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake
from napari_medadv.threat import Threat
from napari_medadv.threat.budget import Budget
from napari_medadv.threat.goal import one_decides
from napari_medadv.volume import Array, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Some batch entries (slices, or one whole volume) to be perturbed under a threat.

    Attributes
    ----------
    classifier, intake
        Who is to be fooled, and how values reach it.
    clean
        float32, (batch, channel, z, y, x), in the unit of the volume.
    grid
        What can be stored.
    threat
        Goal, budget, region.
    budget
        The threat's budget, made concrete for these entries.
    decided
        bool, (batch, label): what is present in the clean series.
    rng
        The only source of randomness.
    lowest, highest
        float32, broadcastable to `clean`: the values that can be stored.
    tally
        How many inputs were classified, for how many a gradient was taken, and how far the work is.
    volume, rows
        The clean volume, and the slice that each entry is (all of them where one entry is the volume); None for
        plain tensors.
    alone
        Whether the highest logit decides, and one label is present in each entry.
    """

    classifier: Classifier
    intake: Intake
    clean: Tensor
    grid: Grid | Unrounded
    threat: Threat
    budget: Budget
    decided: Tensor
    rng: torch.Generator
    lowest: Tensor
    highest: Tensor
    tally: Tally = field(default_factory=Tally)
    volume: Volume | None = None
    rows: Array | None = None
    alone: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "alone", one_decides(self.classifier.findings, self.decided))

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def unit(self) -> str | None:
        """The unit of the values, or None for tensors that come without a volume."""
        return None if self.volume is None else self.volume.scale.unit

    @property
    def queries(self) -> int:
        """How many inputs were classified."""
        return self.tally.queries

    @property
    def gradients(self) -> int:
        """For how many inputs a gradient was taken."""
        return self.tally.gradients

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxels along z, y and x, in mm; 1 for plain tensors."""
        return (1.0, 1.0, 1.0) if self.volume is None else self.volume.spacing

    @property
    def contrast(self) -> Tensor:
        """The span of the clean values of each entry, (batch, 1, 1, 1, 1): what stands for 1 where a paper assumes [0, 1]."""
        flat = self.clean.flatten(1)
        span = flat.amax(dim=1) - flat.amin(dim=1)
        return torch.where(span > 0, span, torch.ones_like(span)).view(-1, 1, 1, 1, 1)

    def logits(self, values: Tensor) -> Tensor:
        """Logits (batch, label) of `values`, a batch of the classifier at a time; each entry counts as a query."""
        return classified(self, values, self.intake)

    def margin(
        self,
        values: Tensor,
        *,
        arithmetic: Arithmetic = "float32",
        trusted: float = math.inf,
        floor: Tensor | None = None,
    ) -> Tensor:
        """How far past the decision each entry is: (batch,), above zero means that the goal is reached.

        Parameters are those of `ascent`.
        """
        return judged(self, values, Trust(arithmetic, trusted, floor))

    def ways(self, values: Tensor) -> Tensor:
        """How near each way of reaching the goal is: (batch, ways); the margin is that of the nearest."""
        with torch.no_grad():
            return self.threat.goal.ways(self.logits(values), self.classifier.findings, self.decided)

    def gradient(
        self,
        values: Tensor,
        loss: Loss | Tensor = "cross-entropy",
        *,
        arithmetic: Arithmetic = "float32",
        trusted: float = math.inf,
        floor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The margin (batch,) at `values`, and the gradient of the loss that rises towards the goal, of their shape.

        Parameters and errors are those of `ascent`.
        """
        margin, _, found = rising(self, values, loss, None, Trust(arithmetic, trusted, floor))
        return margin, found

    def ascent(
        self,
        values: Tensor,
        loss: Loss | Tensor = "cross-entropy",
        through: Callable[[Tensor], Tensor] | None = None,
        *,
        arithmetic: Arithmetic = "float32",
        trusted: float = math.inf,
        floor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The margin and the loss (both (batch,)) at `values`, and the loss's gradient, of the shape of `values`.

        Parameters
        ----------
        values
            float32, (batch, channel, z, y, x).
        loss
            What is climbed; an int64 tensor (batch,) climbs that way of each entry.
        through
            A differentiable change of the values before they are classified (of the same shape).
        arithmetic
            Of the network in the gradient; a margin near or above zero is asked again in float32, so that no decision
            rests on bfloat16.
        trusted
            Above this, a margin found in bfloat16 is not asked again: for attacks that only rank by it.
        floor
            (batch,): a margin found in bfloat16 that is not above this is not asked again, since nothing depends on it.

        Raises
        ------
        ModelError
            The gradient is not finite.
        """
        margin, logits, found = rising(self, values, loss, through, Trust(arithmetic, trusted, floor))
        return margin, climbed(self.threat.goal, logits, self.classifier.findings, self.decided, loss), found

    def swiftest(self) -> Settled:
        """With which arithmetic gradients are taken fastest here, by a probe that is made once in a process."""
        return swiftest(self.classifier, self.clean, self.intake)

    def allow(self, values: Tensor) -> Tensor:
        """The nearest values within region and storable range, whatever the budget."""
        return (self.clean + (values - self.clean) * self.grid.free).clamp(self.lowest, self.highest)

    def admit(self, values: Tensor) -> Tensor:
        """The nearest values within budget, region and storable range."""
        delta = (values - self.clean) * self.grid.free
        if self.budget.norm == "L1":
            delta = self.budget.within(delta, self.lowest - self.clean, self.highest - self.clean)
        else:
            delta = self.budget.project(delta)
        return (self.clean + delta).clamp(self.lowest, self.highest)

    def stored(self, values: Tensor) -> Tensor:
        """The values as a file would give them back: admitted and on the grid."""
        return self.clean + self.grid.snap(self.admit(values) - self.clean, self.budget)

    def rounded(self, values: Tensor) -> Tensor:
        """What is stored of values that are admitted: `stored`, which admits them anew."""
        return self.stored(values)

    def nearest(self, values: Tensor) -> Tensor:
        """The nearest values that a file can hold, whatever the budget."""
        return self.clean + self.grid.nearest(values - self.clean)

    def size(self, values: Tensor) -> Tensor:
        """How far `values` are from the clean ones, (batch,), as the budget measures it."""
        return self.budget.size(values - self.clean)

    def take(self, entries: Tensor) -> Task:
        """The task of the chosen batch entries (indices, which may repeat); what it spends counts here too."""
        one = len(self.lowest) == 1
        return replace(
            self,
            intake=self.intake.take(entries),
            clean=self.clean[entries],
            grid=self.grid.take(entries),
            budget=self.budget.take(entries),
            decided=self.decided[entries],
            lowest=self.lowest if one else self.lowest[entries],
            highest=self.highest if one else self.highest[entries],
            rows=self.rows if self.rows is None or self.clean.shape[2] > 1 else self.rows[entries.cpu().numpy()],
        )

    def note(self, fact: str) -> None:
        """A sentence that the person should read beside the result; said once."""
        if fact not in self.tally.facts:
            self.tally.facts.append(fact)

    def report(self, step: int, steps: int) -> None:
        """Tell how far the attack is; stops it here when the person said so."""
        self.tally.pulse(step / max(steps, 1))

"""Threat: what is wished, how far it may go, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medadv.errors import ThreatError, wrong_kind
from napari_medadv.threat.budget import Budget
from napari_medadv.threat.goal import Goal
from napari_medadv.threat.region import Region


@dataclass(frozen=True, slots=True)
class Threat:
    """An adversary: a goal within a budget within a region."""

    goal: Goal
    budget: Budget
    region: Region = field(default_factory=Region)

    def __post_init__(self) -> None:
        if not isinstance(self.goal, Goal):
            raise ThreatError(
                wrong_kind("The goal", self.goal, "a goal", 'say what is wished, as in Conceal("nodule")')
            )
        if not hasattr(self.budget, "epsilon"):
            raise ThreatError(wrong_kind("The budget", self.budget, "a budget", "say its norm, as in Linf(8)"))
        if not isinstance(self.region, Region):
            raise ThreatError(wrong_kind("The region", self.region, "a Region", "make one, as in Region(mask)"))

"""Threat: what is wished, how far it may go, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medadv.threat.budget import Budget
from napari_medadv.threat.goal import Goal
from napari_medadv.threat.region import Region


@dataclass(frozen=True, slots=True)
class Threat:
    """An adversary: a goal within a budget within a region."""

    goal: Goal
    budget: Budget
    region: Region = field(default_factory=Region)

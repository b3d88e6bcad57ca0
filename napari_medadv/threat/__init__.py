"""What an adversary wants and may do: Threat, Goal, Budget, Region."""

from napari_medadv.threat.amount import Amount
from napari_medadv.threat.budget import L0, L1, L2, Budget, Linf
from napari_medadv.threat.finer import Alone, Reach, Swap
from napari_medadv.threat.goal import Conceal, Confuse, Fabricate, Goal
from napari_medadv.threat.region import Region
from napari_medadv.threat.threat import Threat

__all__ = [
    "L0",
    "L1",
    "L2",
    "Alone",
    "Amount",
    "Budget",
    "Conceal",
    "Confuse",
    "Fabricate",
    "Goal",
    "Linf",
    "Reach",
    "Region",
    "Swap",
    "Threat",
]

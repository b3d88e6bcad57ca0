"""A threat as JSON holds it, the region's mask included."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_medadv.settings import make, plain
from napari_medadv.threat import (
    L0,
    L1,
    L2,
    Alone,
    Budget,
    Conceal,
    Confuse,
    Fabricate,
    Goal,
    Linf,
    Reach,
    Region,
    Swap,
    Threat,
)

GOALS: dict[str, type[Goal]] = {
    kind.__name__.lower(): kind for kind in (Conceal, Fabricate, Confuse, Alone, Swap, Reach)
}
BUDGETS: dict[str, Callable[..., Budget]] = {"linf": Linf, "l2": L2, "l1": L1, "l0": L0}


def threat_json(threat: Threat, unit: str) -> dict[str, Any]:
    """`threat` in JSON's types; `unit` is that of the volume and of the budget."""
    region = threat.region
    return {
        "goal": {"kind": type(threat.goal).__name__.lower(), **plain(threat.goal)},
        "budget": {
            "norm": type(threat.budget).__name__.lower(),
            **plain(threat.budget),
            "unit": budget_unit(threat.budget, unit),
        },
        "region": {
            "slices": None if region.slices is None else list(region.slices),
            "mask": None if region.mask is None else _packed(region.mask),
        },
    }


def budget_unit(budget: Budget, unit: str) -> str:
    """What an epsilon counts: voxels for L0, else the unit of the volume."""
    return "voxels" if isinstance(budget, L0) else unit


def threat_of(found: dict[str, Any]) -> Threat:
    """The threat again; `KeyError` or `ValueError` where the JSON is none."""
    goal, budget, region = dict(found["goal"]), dict(found["budget"]), found["region"]
    budget.pop("unit")
    chosen: Goal = make(GOALS[goal.pop("kind")], goal)
    bound = BUDGETS[budget.pop("norm")](**{name: float(value) for name, value in budget.items()})
    slices = None if region["slices"] is None else tuple(int(index) for index in region["slices"])
    return Threat(chosen, bound, Region(None if region["mask"] is None else _unpacked(region["mask"]), slices))


def _packed(mask: Any) -> dict[str, Any]:
    bits = zlib.compress(np.packbits(mask).tobytes(), 9)
    return {"shape": list(mask.shape), "zlib of packed bits": base64.b64encode(bits).decode()}


def _unpacked(found: dict[str, Any]) -> Any:
    shape = tuple(int(side) for side in found["shape"])
    voxels = int(np.prod(shape))
    packed = zlib.decompressobj().decompress(base64.b64decode(found["zlib of packed bits"]), (voxels + 7) // 8)
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=voxels).astype(bool).reshape(shape)

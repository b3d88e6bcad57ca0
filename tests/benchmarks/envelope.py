"""The attacks that local optimality compares, by norm: the peers' as AttackBench configures them, and ours."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import peers  # type: ignore[import-not-found]
from torch import Tensor, nn

from napari_medadv.attacks.plain import fool
from napari_medadv.catalogue import entry, names
from napari_medadv.threat import L0, L1, L2, Budget, Linf
from napari_medadv.threat.ball import Norm

LARGE: dict[Norm, Budget] = {"Linf": Linf(1e3), "L2": L2(1e3), "L1": L1(1e4), "L0": L0(1e6)}
POWERS = {"Linf": float("inf"), "L2": 2, "L1": 1, "L0": 0}
SEARCH = {"Linf": 1 / 255, "L2": 1.0, "L1": 10.0}

PUBLISHED: dict[Norm, tuple[tuple[str, str], ...]] = {
    "Linf": (
        ("adv_lib", "apgd_minimal"),
        ("adv_lib", "apgd_t_minimal"),
        ("adv_lib", "fab"),
        ("adv_lib", "fmn"),
        ("adv_lib", "pdpgd"),
        ("adv_lib", "pgd_minimal"),
        ("adv_lib", "tr"),
        ("foolbox", "deepfool"),
        ("foolbox", "fmn"),
        ("original", "apgd_minimal"),
        ("original", "fab"),
        ("original", "fmn"),
        ("torchattacks", "fab"),
    ),
    "L2": (
        ("adv_lib", "alma"),
        ("adv_lib", "ddn_NQ"),
        ("adv_lib", "fmn"),
        ("adv_lib", "pdgd"),
        ("foolbox", "ddn"),
        ("original", "deepfool"),
        ("original", "fmn"),
        ("original", "superdeepfool"),
    ),
    "L1": (
        ("adv_lib", "alma"),
        ("foolbox", "ead"),
        ("original", "apgd_minimal"),
    ),
    "L0": (
        ("adv_lib", "pdpgd"),
        ("adv_lib", "vfga"),
        ("original", "pgd0_minimal"),
        ("original", "sigma_zero"),
    ),
}
"""What AttackBench has a configuration of, for that norm; the targeted APGD of its authors is left to adv-lib's, which
does the same in a fifth of the time and, like it, runs out of passes."""


def published(norm: Norm, library: str, name: str) -> peers.Call:
    """A peer's attack with the settings that AttackBench publishes."""
    bench = importlib.import_module("attackbench")
    attack = bench.get_attack(library, name, norm.lower())
    return lambda network, inputs, labels: attack(model=network, inputs=inputs, labels=labels)


def others(norm: Norm) -> dict[str, peers.Call]:
    """The peers: those with published settings, and the same attacks under the norms that have none."""
    found = {f"{library} {name}": published(norm, library, name) for library, name in PUBLISHED[norm]}
    if norm != "Linf":
        found["adv_lib fmn"] = peers.adv_lib("fmn", norm=POWERS[norm], steps=1000)
    if norm in ("L1", "L2"):
        found["adv_lib pdpgd"] = peers.adv_lib("pdpgd", norm=POWERS[norm], num_steps=500)
        found["adv_lib fab"] = peers.adv_lib("fab", norm=POWERS[norm], n_iter=100)
        for name in ("apgd", "apgd_targeted"):
            found[f"adv_lib {name} minimal"] = _searched(name, norm)
    if norm == "L0":
        found["adv_lib sigma_zero"] = peers.adv_lib("sigma_zero", num_steps=1000)
    return found


def _searched(name: str, norm: Norm) -> peers.Call:
    """A fixed-budget attack of adv-lib within AttackBench's search for the smallest budget."""
    search = importlib.import_module("attackbench.attacks.adv_lib.wrapper").adv_lib_minimal_wrapper

    def within(model: nn.Module, inputs: Tensor, labels: Tensor, targeted: bool, eps: Tensor) -> Tensor:
        call = getattr(importlib.import_module("adv_lib.attacks"), name)
        large = norm == "L1"
        found: Tensor = call(model, inputs, labels, eps, norm=POWERS[norm], n_iter=100, use_large_reps=large)
        return found

    return lambda network, inputs, labels: search(network, inputs, labels, attack=within, init_eps=SEARCH[norm])


SETTINGS: dict[str, dict[str, Any]] = {
    "fmn": {"steps": 990},
    "ddn": {"steps": 990},
    "pdpgd": {"steps": 990},
    "sigma_zero": {"steps": 990},
    "fab": {"steps": 100, "targets": 9},
    "cw": {"rounds": 9, "steps": 110},
}
"""As many steps as 2000 passes forward and backward leave."""


def ours(norm: Norm) -> dict[str, peers.Call]:
    """Our attacks that look for the smallest change in this norm by gradient."""
    home = "napari_medadv.attacks"
    kinds: dict[str, Callable[..., Any]] = {
        name: entry(name, home)
        for name in names(home)
        if entry(name, home).aim == "minimum norm" and entry(name, home).knowledge == "gradient"
    }
    return {
        f"ours {name}": _fooled(kind(**SETTINGS.get(name, {})), norm)
        for name, kind in kinds.items()
        if norm in kind.norms  # type: ignore[attr-defined]
    }


def _fooled(attack: Any, norm: Norm) -> peers.Call:
    return lambda network, inputs, labels: fool(network, inputs, labels, attack, LARGE[norm], batch=len(inputs))

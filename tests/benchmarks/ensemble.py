"""Robust accuracy of our parts and our ensemble beside the references', and where theirs does not run.

`python tests/benchmarks/ensemble.py [parts] [ensemble] [elsewhere] [--images 128] [--epsilon 0.13]` on the small CNN that
was trained against PGD. `parts` needs attackbenchlib (the authors' APGD-T and FAB) and torchattacks; `ensemble` and
`elsewhere` need torchattacks. What is robust where no peer runs is checked by a longer search of another kind.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]
from digits import trained  # type: ignore[import-not-found]

from napari_medadv.attacks.attack import Attack
from napari_medadv.attacks.closest import Closest
from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import fool
from napari_medadv.catalogue import entry
from napari_medadv.threat import Linf


class Regrouped(nn.Module):
    """The ten digits as another kind of classifier: "two classes", "one logit" (even or odd), or "several labels"."""

    def __init__(self, network: nn.Module, kind: str) -> None:
        super().__init__()
        self.network, self.kind = network, kind

    def forward(self, inputs: Tensor) -> Tensor:
        logits = self.network(inputs)
        if self.kind == "several labels":
            others = logits[:, None].masked_fill(torch.eye(10, dtype=torch.bool), -torch.inf).logsumexp(dim=2)
            found: Tensor = logits - others
            return found
        even, odd = logits[:, ::2].logsumexp(dim=1), logits[:, 1::2].logsumexp(dim=1)
        return torch.stack([even, odd], dim=1) if self.kind == "two classes" else (odd - even)[:, None]


def truth(network: nn.Module, inputs: Tensor) -> Tensor:
    """What the network decides of the clean images, as `fool` takes it."""
    logits: Tensor = network(inputs)
    if isinstance(network, Regrouped) and network.kind != "two classes":
        return logits > 0
    return logits.argmax(dim=1)


def ours(attack: Attack, epsilon: float) -> peers.Call:
    return lambda network, inputs, labels: fool(network, inputs, labels, attack, Linf(epsilon), batch=len(inputs))


def by_name(name: str, epsilon: float, **settings: object) -> peers.Call:
    return ours(entry(name, "napari_medadv.attacks")(**settings), epsilon)


def standing(network: nn.Module, inputs: Tensor, found: Tensor, epsilon: float) -> Tensor:
    """Where the decision is that of the clean image still, or the budget was overspent: bool, (image,)."""
    before, after = truth(network, inputs), truth(network, found)
    same = (before == after).flatten(1).all(dim=1) if before.ndim == 2 else before == after
    return same | ((found - inputs).abs().flatten(1).amax(dim=1) > epsilon * 1.001)


def line(name: str, call: peers.Call, network: nn.Module, inputs: Tensor, labels: Tensor, epsilon: float) -> None:
    torch.manual_seed(0)
    began = time.process_time()
    try:
        found = call(network, inputs, labels).detach()
    except Exception as error:
        print(f"{name:44s} crashes: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:140], flush=True)
        return
    seconds = time.process_time() - began
    stands = standing(network, inputs, found, epsilon)
    print(f"{name:44s} robust {100 * float(stands.float().mean()):6.2f} %   CPU {seconds:6.1f} s", flush=True)


def parts(network: nn.Module, inputs: Tensor, labels: Tensor, epsilon: float) -> None:
    """APGD-T, FAB and Square, each beside its reference with the same settings."""
    original = "attackbench.attacks.original"

    def reference(module: str, name: str, **settings: object) -> peers.Call:
        def call(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
            attack = getattr(importlib.import_module(f"{original}.{module}"), name)
            found: Tensor = attack(network, inputs, labels, threat_model="linf", **settings)
            return found

        return call

    for name, call in {
        "ours apgd_t 100 x 9": by_name("apgd_t", epsilon),
        "APGD-T of its authors 100 x 9": reference("auto_pgd", "apgd_t_attack", n_iter=100, eps=epsilon),
        "torchattacks APGDT 100 x 9": peers.torchattacks("APGDT", eps=epsilon, steps=100),
        "ours fab 100": by_name("fab", epsilon),
        "torchattacks FAB 100": peers.torchattacks("FAB", eps=epsilon, steps=100, multi_targeted=False),
        "ours square 1000": by_name("square", epsilon, queries=1000),
        "torchattacks Square 1000": peers.torchattacks("Square", eps=epsilon, n_queries=1000),
    }.items():
        line(name, call, network, inputs, labels, epsilon)


def ensemble(network: nn.Module, inputs: Tensor, labels: Tensor, epsilon: float) -> None:
    """Our ensemble and the AutoAttack that torchattacks carries, on ten classes."""
    line("ours auto_attack", by_name("auto_attack", epsilon), network, inputs, labels, epsilon)
    line("torchattacks AutoAttack", peers.torchattacks("AutoAttack", eps=epsilon), network, inputs, labels, epsilon)


def elsewhere(network: nn.Module, inputs: Tensor, epsilon: float) -> None:
    """Two classes, one logit and several labels: ours, a long search, and theirs."""
    for kind in ("two classes", "one logit", "several labels"):
        other = Regrouped(network, kind).eval()
        mine = truth(other, inputs)
        theirs = mine[:, 0].long() if kind == "one logit" else mine.float() if kind == "several labels" else mine
        classes = 10 if kind == "several labels" else 2
        line(f"{kind}: ours auto_attack", by_name("auto_attack", epsilon), other, inputs, mine, epsilon)
        search = ours(Closest(), epsilon)
        line(f"{kind}: smallest change (closest)", search, other, inputs, mine, epsilon)
        line(f"{kind}: 5 x PGD-200", ours(PGD(steps=200, starts=5, step=0.05), epsilon), other, inputs, mine, epsilon)
        call = peers.torchattacks("AutoAttack", eps=epsilon, n_classes=classes)
        line(f"{kind}: torchattacks AutoAttack", call, other, inputs, theirs, epsilon)


def main() -> None:
    """Print what was asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["parts", "ensemble", "elsewhere"])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--epsilon", type=float, default=0.13)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    network, inputs, labels = trained(Path(tempfile.gettempdir()) / "medadv_digits.pt")
    inputs, labels = inputs[: given.images], labels[: given.images]
    for what in given.what:
        print(f"--- {what}: {len(inputs)} images, Linf {given.epsilon:g}", flush=True)
        if what == "elsewhere":
            elsewhere(network, inputs, given.epsilon)
        else:
            {"parts": parts, "ensemble": ensemble}[what](network, inputs, labels, given.epsilon)


if __name__ == "__main__":
    main()

"""Our attacks and the peers' on the small CNN: success, median size, passes an image, CPU seconds.

Run with the peers installed (torchattacks, foolbox, adversarial-robustness-toolbox, adv-lib, scikit-learn):
`python tests/benchmarks/attacks_digits.py [fixed] [Linf] [L2] [L1] [L0] [black] [curve] [coarse]`; those that are missing are named and left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]
from digits import trained  # type: ignore[import-not-found]

from napari_medadv.attacks.plain import fool, plain_curve
from napari_medadv.catalogue import entry
from napari_medadv.threat import L0, L1, L2, Budget, Linf
from napari_medadv.threat.ball import Norm, size

LARGE: dict[str, Budget] = {"Linf": Linf(1e3), "L2": L2(1e3), "L1": L1(1e4), "L0": L0(256)}


class Passes(nn.Module):
    """Counts the images that go forward and the gradients that come back."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.forward_images, self.backward_images = network, 0, 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.forward_images += len(inputs)
        if inputs.requires_grad:
            inputs = inputs.clone()
            inputs.register_hook(self._count)  # type: ignore[no-untyped-call]
        found: Tensor = self.network(inputs)
        return found

    def _count(self, gradient: Tensor) -> None:
        self.backward_images += len(gradient)


def ours(name: str, budget: Budget, **settings: Any) -> peers.Call:
    attack = entry(name, "napari_medadv.attacks")(**settings)
    return lambda network, inputs, labels: fool(network, inputs, labels, attack, budget)


def fixed(epsilon: float) -> dict[str, peers.Call]:
    linf = Linf(epsilon)
    step = 0.125 * epsilon
    return {
        "ours pgd, all drive on": ours("pgd", linf, confidence=1e9),
        "ours pgd": ours("pgd", linf),
        "torchattacks PGD": peers.torchattacks("PGD", eps=epsilon, alpha=step, steps=40, random_start=True),
        "adv-lib pgd_linf": peers.adv_lib("pgd_linf", **{"\N{GREEK SMALL LETTER EPSILON}": epsilon}, steps=40),
        "foolbox PGD": peers.foolbox("LinfPGD", epsilon, rel_stepsize=0.125, steps=40),
        "ART PGD": peers.art(
            "ProjectedGradientDescentPyTorch", 10, eps=epsilon, eps_step=step, max_iter=40, verbose=False, batch_size=64
        ),
        "ours apgd ce 40": ours("apgd", linf, steps=40, confidence=1e9),
        "ours apgd margin 40": ours("apgd", linf, steps=40, loss="margin"),
        "ours apgd ratio 40": ours("apgd", linf, steps=40, loss="ratio"),
        "ours pma 100": ours("pma", linf),
        "ours apgd_t 40": ours("apgd_t", linf, steps=40),
        "torchattacks APGD ce 40": peers.torchattacks("APGD", eps=epsilon, steps=40),
        "torchattacks APGDT 40": peers.torchattacks("APGDT", eps=epsilon, steps=40),
        "adv-lib apgd ce 40": peers.adv_lib("apgd", eps=epsilon, norm=float("inf"), n_iter=40),
        "adv-lib apgd_targeted 40": peers.adv_lib("apgd_targeted", eps=epsilon, norm=float("inf"), n_iter=40),
    }


def minimum(norm: Norm) -> dict[str, peers.Call]:
    power = {"Linf": float("inf"), "L2": 2, "L1": 1, "L0": 0}[norm]
    budget = LARGE[norm]
    found = {
        "ours fmn 100": ours("fmn", budget),
        "adv-lib fmn 100": peers.adv_lib(
            "fmn", norm=power, steps=100, **({"\N{GREEK SMALL LETTER ALPHA}_init": 10} if norm == "Linf" else {})
        ),
        "ours pdpgd 500": ours("pdpgd", budget),
        "adv-lib pdpgd 500": peers.adv_lib("pdpgd", norm=power, num_steps=500),
    }
    if norm != "L0":
        found |= {
            "ours fab 100": ours("fab", budget),
            "ours fab 100 x 9 targets": ours("fab", budget, targets=9, steps=40),
        }
        found |= {"ours deepfool": ours("deepfool", budget)}
        found |= {"adv-lib fab 100": peers.adv_lib("fab", norm=power, n_iter=100)}
    if norm == "L2":
        found |= {
            "ours ddn 100": ours("ddn", budget),
            "ours superdeepfool": ours("superdeepfool", budget),
            "ours cw 6 x 100": ours("cw", budget),
            "adv-lib ddn 100": peers.adv_lib("ddn", steps=100, levels=None),
            "adv-lib sdf": peers.adv_lib("sdf"),
            "adv-lib carlini_wagner_l2 9 x 100": peers.adv_lib("carlini_wagner_l2", max_iterations=100),
        }
    if norm == "L0":
        found |= {
            "ours sigma_zero 300": ours("sigma_zero", budget),
            "adv-lib sigma_zero 300": peers.adv_lib("sigma_zero", num_steps=300),
            "adv-lib vfga": peers.adv_lib("vfga", targeted=False),
        }
    return found


def black(queries: int = 1000) -> dict[str, dict[str, peers.Call]]:
    """Attacks that only ask, by what they are compared in."""
    linf = Linf(0.15)
    return {
        "Linf": {
            f"ours square {queries}": ours("square", linf, queries=queries),
            f"torchattacks Square {queries}": peers.torchattacks("Square", eps=0.15, n_queries=queries),
            f"ours nes {queries}": ours("nes", linf, queries=queries),
        },
        "L2": {
            f"ours hop_skip_jump {queries}": ours("hop_skip_jump", LARGE["L2"], queries=queries),
            f"ours surfree {queries}": ours("surfree", LARGE["L2"], queries=queries),
            f"ours boundary {queries}": ours("boundary", LARGE["L2"], queries=queries),
            "foolbox HopSkipJump 5 steps": peers.foolbox("HopSkipJumpAttack", None, steps=5),
            "foolbox Boundary 1000 steps": peers.foolbox("BoundaryAttack", None, steps=1000),
        },
        "L0": {
            "ours sparse_rs, 10 voxels": ours("sparse_rs", L0(10), queries=queries),
            "ours jsma": ours("jsma", L0(40)),
            "ours few_pixel 4000": ours("few_pixel", LARGE["L0"]),
            "torchattacks OnePixel 5": peers.torchattacks("OnePixel", pixels=5, steps=20, popsize=20),
        },
    }


def table(
    calls: dict[str, peers.Call], norm: Norm, seen: Callable[[], tuple[nn.Module, Tensor, Tensor]], repeats: int = 2
) -> None:
    network, inputs, labels = seen()
    for name, call in calls.items():
        passes, best = Passes(network), float("inf")
        try:
            torch.manual_seed(0)
            began = time.process_time()
            found = call(passes, inputs, labels).detach()
            if not repeats:
                best = time.process_time() - began
            for _ in range(repeats):
                began = time.process_time()
                call(network, inputs, labels)
                best = min(best, time.process_time() - began)
        except Exception as error:
            print(f"{name:36s} {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:110])
            continue
        wrong = network(found).argmax(dim=1) != labels
        sizes = torch.where(wrong, size((found - inputs).unsqueeze(2), norm), torch.inf)
        count = len(inputs)
        print(
            f"{name:36s} success {wrong.float().mean():.3f}  median {norm} {sizes.median():8.4f}  "
            f"passes {passes.forward_images / count:6.1f} / {passes.backward_images / count:6.1f}  CPU {best:6.3f} s"
        )


def curves(network: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """A robustness curve of ten epsilons: ours beside ten runs of a peer's PGD-40."""
    grid = [0.04 * step for step in range(1, 11)]

    def peer() -> list[float]:
        found = []
        for epsilon in grid:
            call = peers.torchattacks("PGD", eps=epsilon, alpha=epsilon / 8, steps=40, random_start=True)
            found.append(float((network(call(network, inputs, labels)).argmax(dim=1) == labels).float().mean()))
        return found

    def mine() -> list[float]:
        curve = plain_curve(network, inputs, labels, Linf(1), grid, batch=len(inputs))
        return [curve.robust(epsilon)[0] for epsilon in grid]

    for name, call in (("10 x torchattacks PGD-40", peer), ("ours: FMN-15, then confirmed", mine)):
        torch.manual_seed(0)
        least = float("inf")
        for _ in range(2):
            began = time.process_time()
            found = call()
            least = min(least, time.process_time() - began)
        print(f"{name:30s} CPU {least:6.3f} s  " + " ".join(f"{share:.3f}" for share in found))


def coarse(network: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """Success as stored on coarse grids beside success in float, at budgets of 1 to 4 grey levels."""
    for levels in (17, 33):
        stored = (inputs * (levels - 1)).round() / (levels - 1)
        right = network(stored).argmax(dim=1) == labels
        for count in (1, 2, 3, 4):
            budget = Linf(count / (levels - 1) * 1.000001)
            words = []
            for name in ("pgd", "apgd"):
                attack = entry(name, "napari_medadv.attacks")()
                for grid in (None, levels):
                    found = fool(network, stored[right], labels[right], attack, budget, levels=grid, batch=512)
                    wrong = network(found).argmax(dim=1) != labels[right]
                    words.append(f"{name} {'float' if grid is None else 'stored'} {wrong.float().mean():.3f}")
            print(f"{levels} levels, budget {count}: " + "   ".join(words))


def main() -> None:
    """Print the tables that were asked for, or all."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    store = Path(tempfile.gettempdir()) / "medadv_digits.pt"
    network, inputs, labels = trained(store)

    def seen() -> tuple[nn.Module, Tensor, Tensor]:
        return network, inputs[:64], labels[:64]

    wanted = sys.argv[1:] or ["fixed", "Linf", "L2", "L1", "L0", "black", "curve", "coarse"]
    for what in wanted:
        print(f"--- {what}: {len(inputs)} images right, 64 attacked")
        if what == "curve":
            curves(network, inputs[:128], labels[:128])
        elif what == "coarse":
            coarse(network, inputs, labels)
        elif what == "black":
            for norm, calls in black().items():
                table(calls, norm, lambda: (network, inputs[:16], labels[:16]), repeats=0)  # type: ignore[arg-type]
        elif what == "fixed":
            table(fixed(0.15), "Linf", seen)
        else:
            table(minimum(what), what, seen)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()

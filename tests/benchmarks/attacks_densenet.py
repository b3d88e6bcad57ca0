"""Speed on MONAI's DenseNet121 at 224 x 224: the peers' PGD against ours, like for like, and each gain by itself.

Weights are random (the last layer a hundredfold, so that no margin is in doubt): time does not depend on them, and
success is not compared here.
`python tests/benchmarks/attacks_densenet.py [images] [steps]`; peers that are missing are named and left out.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]

from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import fool
from napari_medadv.model.prepared import prepare
from napari_medadv.threat import Linf

EPSILON = 1e-4
"""So small that no image falls: every attack takes all its steps on all images."""


def bare(
    network: Callable[[Tensor], Any], inputs: Tensor, labels: Tensor, steps: int, *, short: bool = False
) -> Tensor:
    """The loop that no attack can be faster than: forward, gradient to the input, step."""
    values = inputs
    for _ in range(steps):
        values = values.detach().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            logits = network(values)
        (gradient,) = torch.autograd.grad(cross_entropy(logits.float(), labels), values)
        values = inputs + (values + EPSILON / 8 * gradient.sign() - inputs).clamp(-EPSILON, EPSILON)
    return values


def main() -> None:
    """Print CPU and wall seconds of each, the least of two runs in mixed order."""
    warnings.simplefilter("ignore")
    count, steps = (int(word) for word in (sys.argv[1:] + ["2", "20"][len(sys.argv) - 1 :])[:2])
    torch.manual_seed(0)
    plain: nn.Module = importlib.import_module("monai.networks.nets").DenseNet121(2, 1, 2).eval()
    with torch.no_grad():
        plain.class_layers.out.weight.mul_(100)  # type: ignore[union-attr, operator]
    inputs = torch.rand(count, 1, 224, 224) * 0.8 + 0.1
    labels = plain(inputs).argmax(dim=1)
    still = importlib.import_module("copy").deepcopy(plain).requires_grad_(False)
    swift = prepare(still, inputs[:2])
    print(
        f"prepared: {swift.words or 'left as it is'}; {count} images, {steps} steps, {torch.get_num_threads()} threads"
    )

    def ours(network: Any, **settings: Any) -> Callable[[], object]:
        attack = PGD(steps, start="clean", confidence=float("inf"), **settings)
        return lambda: fool(network, inputs, labels, attack, Linf(EPSILON))

    eps = {"eps": EPSILON}
    step = EPSILON / 8
    calls: dict[str, Callable[[], object]] = {
        "bare loop, parameters frozen": lambda: bare(still, inputs, labels, steps),
        "bare loop, prepared": lambda: bare(swift, inputs, labels, steps),
        "bare loop, prepared, bfloat16": lambda: bare(swift, inputs, labels, steps, short=True),
        "ours, as given": ours(still),
        "ours, prepared": ours(swift),
        "ours, prepared, bfloat16": ours(swift, arithmetic="bfloat16"),
    }
    others = {
        "torchattacks": peers.torchattacks("PGD", **eps, alpha=step, steps=steps, random_start=False),
        "foolbox": peers.foolbox("LinfPGD", EPSILON, rel_stepsize=0.125, steps=steps, random_start=False),
        "ART": peers.art(
            "ProjectedGradientDescentPyTorch", 2, **eps, eps_step=step, max_iter=steps, verbose=False, batch_size=count
        ),
    }
    for name, call in others.items():
        calls[name] = lambda call=call: call(plain, inputs, labels)  # type: ignore[misc]
    least: dict[str, tuple[float, float]] = {}
    for turn in range(2):
        for name in sorted(calls, reverse=bool(turn)):
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                calls[name]()
            except Exception as error:
                print(f"{name}: {type(error).__name__} {error}"[:120])
                continue
            took = (time.process_time() - cpu, time.perf_counter() - wall)
            least[name] = min(least.get(name, (float("inf"), 0.0)), took)
    for name, (cpu, wall) in sorted(least.items(), key=lambda item: item[1]):
        print(
            f"{name:34s} CPU {cpu:7.2f} s   wall {wall:7.2f} s   x {cpu / least['bare loop, prepared'][0]:.2f} of bare prepared"
        )


if __name__ == "__main__":
    main()

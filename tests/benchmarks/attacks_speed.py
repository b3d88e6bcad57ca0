"""Speed: the peers' PGD against ours on one network, like for like and as shipped, each gain by itself, and a curve.

`python tests/benchmarks/attacks_speed.py digits` takes the small CNN, trained plainly;
`python tests/benchmarks/attacks_speed.py MODEL TABLE.csv` a MONAI DenseNet121 that docs/examples/finlayson/train.py made
with --network densenet121 --recipe turned, and the test images of the table it was trained with. `--images`, `--steps`,
`--epsilon` and `--only fixed|curve|driver` as you like. Success is always that of a float32 forward pass of the network as
it was given. Peers that are missing are named.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]
from digits import trained  # type: ignore[import-not-found]

from napari_medadv.attacks.pgd import PGD
from napari_medadv.attacks.plain import at_once, fool, plain_curve
from napari_medadv.model.arithmetic import Arithmetic
from napari_medadv.model.prepared import prepare
from napari_medadv.threat import Linf


@dataclass(frozen=True, slots=True)
class Case:
    """A network as it was given, the same prepared, and images that it has right, (image, channel, y, x) in [0, 1]."""

    plain: nn.Module
    swift: Any
    inputs: Tensor
    labels: Tensor
    epsilon: float
    classes: int

    @property
    def batch(self) -> int:
        """Images at once: what `fool` takes."""
        return at_once(self.inputs)

    def success(self, found: Tensor) -> float:
        """The share of images that are wrong, in float32."""
        with torch.no_grad():
            answers = [self.plain(part).argmax(dim=1) for part in torch.split(found.detach().float(), 16)]
        return float((torch.cat(answers) != self.labels).float().mean())


def digits(count: int, epsilon: float | None) -> Case:
    """The small CNN."""
    network, inputs, labels = trained(Path(tempfile.gettempdir()) / "medadv_digits_plain.pt", reach=0.0)
    return case(network, inputs[:count], labels[:count], epsilon or 0.15, 10)


def radiographs(model: Path, table: Path, count: int, epsilon: float | None) -> Case:
    """A DenseNet121 of `train.py`, and every other image of each label of the test split that it has right."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples" / "finlayson"))
    turned, images = (importlib.import_module(name) for name in ("turned", "images"))
    state = torch.export.load(model / "model.pt2").state_dict
    voxels, truth, labels = images.read_table(table, "test")
    network: nn.Module = turned.densenet121(voxels.shape[1], len(labels))
    network.load_state_dict(state)
    network.eval()
    places = torch.cat([(truth == label).nonzero().flatten()[:count] for label in range(len(labels))])
    inputs = interpolate(voxels[places].float() / 255, (224, 224), mode="bilinear", antialias=True).clamp(0, 1)
    with torch.no_grad():
        right = torch.cat([network(part).argmax(dim=1) for part in torch.split(inputs, 16)]) == truth[places]
    order = right.nonzero().flatten()
    order = order[torch.randperm(len(order), generator=torch.Generator().manual_seed(0))][:count]
    return case(network, inputs[order], truth[places][order], epsilon or 2 / 255, len(labels))


def case(network: nn.Module, inputs: Tensor, labels: Tensor, epsilon: float, classes: int) -> Case:
    """Peers get the network as training leaves it, with parameters that want gradients."""
    still = copy.deepcopy(network).eval().requires_grad_(False)
    swift = prepare(still, inputs[:2])
    print(f"prepared: {swift.words or 'left as it is'}; {len(inputs)} images, {torch.get_num_threads()} threads")
    return Case(network.eval().requires_grad_(True), swift, inputs, labels, epsilon, classes)


def bare(network: Callable[[Tensor], Any], made: Case, steps: int, *, short: bool = False) -> Tensor:
    """The loop that no attack can be faster than: forward, gradient to the input, step."""
    inputs, epsilon = made.inputs, made.epsilon
    values = inputs
    for _ in range(steps):
        parts = []
        for part, labels in zip(torch.split(values, made.batch), torch.split(made.labels, made.batch), strict=True):
            part = part.detach().requires_grad_(True)
            with torch.autocast("cpu", torch.bfloat16, enabled=short):
                logits = network(part)
            parts.append(torch.autograd.grad(cross_entropy(logits.float(), labels), part)[0])
        step = epsilon / 8 * torch.cat(parts).sign()
        values = (inputs + (values + step - inputs).clamp(-epsilon, epsilon)).clamp(0, 1)
    return values


def fixed(made: Case, steps: int) -> dict[str, Callable[[], Tensor]]:
    """PGD of each, like for like and as shipped."""
    still = copy.deepcopy(made.plain).requires_grad_(False)
    step = made.epsilon / 8

    def ours(network: Any, **settings: Any) -> Callable[[], Tensor]:
        attack, budget = PGD(steps, **settings), Linf(made.epsilon)
        return lambda: fool(network, made.inputs, made.labels, attack, budget, batch=made.batch)

    on: dict[str, Any] = {"confidence": float("inf")}
    calls: dict[str, Callable[[], Tensor]] = {
        "bare loop, as given": lambda: bare(made.plain, made, steps),
        "bare loop, frozen": lambda: bare(still, made, steps),
        "bare loop, prepared": lambda: bare(made.swift, made, steps),
        "bare loop, prepared, bfloat16": lambda: bare(made.swift, made, steps, short=True),
        "ours, all drive on, as given": ours(still, arithmetic="float32", **on),
        "ours, all drive on, prepared": ours(made.swift, arithmetic="float32", **on),
        "ours, all drive on, bfloat16": ours(made.swift, arithmetic="bfloat16", **on),
        "ours, fooled leave, float32": ours(made.swift, arithmetic="float32"),
        "ours, fooled leave, bfloat16": ours(made.swift, arithmetic="bfloat16"),
        "ours, as shipped": ours(made.swift),
    }
    epsilon = {"eps": made.epsilon}
    others = {
        "torchattacks": peers.torchattacks("PGD", **epsilon, alpha=step, steps=steps, random_start=True),
        "adv-lib": peers.adv_lib("pgd_linf", **{"\N{GREEK SMALL LETTER EPSILON}": made.epsilon}, steps=steps),
        "foolbox": peers.foolbox("LinfPGD", made.epsilon, rel_stepsize=0.125, steps=steps),
        "ART": peers.art(
            "ProjectedGradientDescentPyTorch",
            made.classes,
            **epsilon,
            eps_step=step,
            max_iter=steps,
            verbose=False,
            batch_size=len(made.inputs),
        ),
    }
    for name, call in others.items():
        calls[name] = lambda call=call: call(made.plain, made.inputs, made.labels)  # type: ignore[misc]
    return calls


def curves(made: Case, steps: int) -> dict[str, Callable[[], list[float]]]:
    """A curve of ten epsilons up to four times the case's: ten runs of a peer's PGD, and ours."""
    grid = [made.epsilon * share for share in (0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)]

    def peer() -> list[float]:
        found = []
        for epsilon in grid:
            call = peers.torchattacks("PGD", eps=epsilon, alpha=epsilon / 8, steps=steps, random_start=True)
            found.append(1 - made.success(call(made.plain, made.inputs, made.labels)))
        return found

    def mine(arithmetic: Arithmetic) -> Callable[[], list[float]]:
        def call() -> list[float]:
            curve = plain_curve(
                made.swift, made.inputs, made.labels, Linf(1), grid, batch=made.batch, arithmetic=arithmetic
            )
            return [curve.robust(epsilon)[0] for epsilon in grid]

        return call

    kinds: tuple[Arithmetic, ...] = ("float32", "bfloat16")
    return {f"10 x torchattacks PGD-{steps}": peer, **{f"ours, {kind}": mine(kind) for kind in kinds}}


def timed(calls: dict[str, Callable[[], Any]], turns: int, tell: Callable[[Any], str]) -> None:
    """Print CPU and wall seconds of each, the least of so many turns in mixed order, and what came of it."""
    least: dict[str, tuple[float, float]] = {}
    words: dict[str, str] = {}
    for turn in range(turns):
        for name in sorted(calls, reverse=bool(turn % 2)):
            torch.manual_seed(0)
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                found = calls[name]()
            except Exception as error:
                words[name] = f"{type(error).__name__} {error}"[:80]
                continue
            took = (time.process_time() - cpu, time.perf_counter() - wall)
            least[name] = min(least.get(name, (float("inf"), 0.0)), took)
            words[name] = tell(found)
    others = ("torchattacks", "adv-lib", "foolbox", "ART")
    rivals = {name: took[0] for name, took in least.items() if name in others or name.startswith("10 x")}
    first = min(rivals, key=rivals.__getitem__, default=None)
    for name in calls:
        cpu, wall = least.get(name, (float("nan"), float("nan")))
        ratio = f"x {rivals[first] / cpu:5.2f} of {first}" if first else ""
        print(f"{name:32s} CPU {cpu:8.3f} s   wall {wall:8.3f} s   {ratio}   {words[name]}", flush=True)


def driver(made: Case, steps: int, turns: int) -> None:
    """Print what the driver costs over the bare loop: the median over turns in which one follows the other."""
    for kind in ("float32", "bfloat16"):
        attack = PGD(steps, confidence=float("inf"), arithmetic=kind)
        calls: tuple[Callable[[], Tensor], ...] = (
            partial(bare, made.swift, made, steps, short=kind == "bfloat16"),
            partial(fool, made.swift, made.inputs, made.labels, attack, Linf(made.epsilon), batch=made.batch),
        )
        took: list[list[float]] = [[], []]
        for _ in range(turns + 1):
            for call, seconds in zip(calls, took, strict=True):
                began = time.process_time()
                call()
                seconds.append(time.process_time() - began)
        loop, ours = (seconds[1:] for seconds in took)
        ratios = [mine / its for mine, its in zip(ours, loop, strict=True)]
        print(
            f"{kind}: bare {min(loop):.3f} s, ours {min(ours):.3f} s, {min(ours) / min(loop):.3f} times; median {median(ratios):.3f}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="digits, or the folder of model.pt2")
    parser.add_argument("table", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--epsilon", type=float)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--only", choices=("fixed", "curve", "driver"))
    parser.add_argument("--without", nargs="*", default=[], metavar="ROW", help="rows to leave out")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if args.model == "digits":
        made = digits(args.images, args.epsilon)
    else:
        made = radiographs(Path(args.model), args.table, args.images, args.epsilon)
    if args.only == "driver":
        driver(made, args.steps, args.turns)
        return
    if args.only != "curve":
        print(f"--- PGD-{args.steps}, epsilon {made.epsilon:.4f}")
        rows = {name: call for name, call in fixed(made, args.steps).items() if name not in args.without}
        timed(rows, args.turns, lambda found: f"success {made.success(found):.3f}")
    if args.only != "fixed":
        print("--- robust share at ten epsilons")
        timed(curves(made, args.steps), args.turns, lambda found: " ".join(f"{share:.3f}" for share in found))


if __name__ == "__main__":
    main()

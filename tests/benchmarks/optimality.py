"""AttackBench's local optimality of our attacks and the peers', all within 2000 passes an image.

`python tests/benchmarks/optimality.py [Linf] [L2] [L1] [L0] [--model robust|plain] [--images 32]
[--first 0] [--keep FILE] [--only WORD]`

The score (https://arxiv.org/abs/2404.19460) is the area above an attack's curve of robust accuracy as a share of that
above the envelope of all attacks: 1 is as good as the best of all on every image. Needs attackbenchlib, adv-lib,
foolbox, torchattacks and scikit-learn; a peer that does not run is printed with what it said.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import io
import json
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]
from digits import trained  # type: ignore[import-not-found]
from envelope import others, ours  # type: ignore[import-not-found]

Result = dict[str, Any]


def measured(call: peers.Call, network: nn.Module, inputs: Tensor, labels: Tensor, norm: str) -> Result:
    """The smallest distance that each image was fooled at in any of 2000 passes, the passes, and the seconds."""
    bench = importlib.import_module("attackbench")

    def attack(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        found: Tensor = call(model, inputs, labels)
        return found

    loader = DataLoader(TensorDataset(inputs, labels), batch_size=len(inputs))
    began = time.process_time()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        found = bench.run_attack(
            copy.deepcopy(network).eval(), loader, attack, norm.lower(), torch.device("cpu"), debug=True
        )
    return {
        "distances": found["distances"][norm.lower()],
        "returned": found["final_distances"][norm.lower()],
        "adversarial": found["adv_success"],
        "forward": found["num_forwards"],
        "backward": found["num_backwards"],
        "seconds": time.process_time() - began,
    }


def scores(results: dict[str, Result], accuracy: float) -> dict[str, float]:
    """The local optimality of each against the envelope of all."""
    evaluate = importlib.import_module("attackbench.metrics.distances").eval_optimality
    envelope = torch.tensor([result["distances"] for result in results.values()]).amin(dim=0).tolist()
    return {name: float(evaluate(result["distances"], envelope, accuracy)) for name, result in results.items()}


def table(norm: str, results: dict[str, Result], count: int) -> None:
    """Print the attacks, the best first."""
    best = scores(results, 1.0)
    for name in sorted(results, key=lambda name: -best[name]):
        result = results[name]
        passes = (sum(result["forward"]) + sum(result["backward"])) / count
        distances = torch.tensor(result["distances"])
        print(
            f"{norm:5s}{name:36s} optimality {best[name]:.4f}  fooled {distances.isfinite().float().mean():.3f}  "
            f"median {distances.median():9.4f}  passes {passes:6.0f}  CPU {result['seconds']:6.1f} s"
        )


def main() -> None:
    """Measure what was asked for and print one table a norm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("norms", nargs="*", default=["Linf", "L2", "L1", "L0"])
    parser.add_argument("--model", choices=("robust", "plain"), default="robust")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument(
        "--first", type=int, default=0, help="leave out so many images: those that settings were chosen on"
    )
    parser.add_argument("--keep", type=Path, help="a JSON file of results; those in it are not measured again")
    parser.add_argument("--only", default="", help="measure again what has this in its name")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    reach = 0.1 if given.model == "robust" else 0.0
    store = Path(tempfile.gettempdir()) / ("medadv_digits.pt" if reach else "medadv_digits_plain.pt")
    network, inputs, labels = trained(store, reach=reach)
    chosen = slice(given.first, given.first + given.images)
    inputs, labels = inputs[chosen], labels[chosen]
    kept = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    for norm in given.norms:
        results = kept.setdefault(f"{given.model} {norm} {given.images} from {given.first}", {})
        for name, call in (others(norm) | ours(norm)).items():
            if name in results and not (given.only and given.only in name):
                continue
            try:
                results[name] = measured(call, network, inputs, labels, norm)
            except Exception as error:
                print(f"{norm:5s}{name:36s} {type(error).__name__}: {str(error).splitlines()[:1]}"[:150])
                continue
            if given.keep:
                given.keep.write_text(json.dumps(kept))
        print(f"--- {norm}, {given.model} model, {len(inputs)} images")
        table(norm, results, len(inputs))


if __name__ == "__main__":
    main()

"""Finlayson's experiment: ``python experiment.py TABLE.csv OUT [--limit N]``.

Finlayson, Chung, Kohane and Beam 2018, https://arxiv.org/abs/1804.05296: PGD in a white and in a black box, an
adversarial patch in both, and a natural patch. Trains the two networks that are missing in OUT (``train.py``, the second
stands in for the first in a black box), attacks the test images and prints the table beside what the authors printed.
TABLE.csv has the columns file, label and split, for two labels. What is done already is read from OUT, so a run that
was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path

import images
import numpy as np
import torch
from figures import PAPER, head, row
from stacks import Stack, labels_of, read_stack
from train import NETWORKS, RECIPES, STEPS, train
from trials import TRIALS, Bench, judged

from napari_medadv import load_classifier

PATCH_IMAGES = 200


def network(table: Path, out: Path, seed: int, how: tuple[str, str, int], *, needed: bool) -> Path:
    """The file of the network of a seed, trained here where it is missing and needed."""
    folder = out / f"{table.stem}_{seed}"
    if needed and not (folder / "model.toml").exists():
        train(table, folder, seed, *how[:2], steps=how[2])
    return folder / "model.pt2"


def attack(bench: Bench, stack: Stack, trials: list[str], ledger: Path, seed: int) -> None:
    """Append what the victim says of each image after each trial; what the ledger holds is not done again."""
    done = set(entries(ledger, bench.victim.sha256))
    for trial in trials:
        for start, part in stack.parts(bench.victim.batch):
            if all((trial, file) in done for file in part.files):
                continue
            scores = judged(bench, trial, part, seed + start)
            with ledger.open("a") as lines:
                for file, probabilities in zip(part.files, scores, strict=True):
                    found = {"victim": bench.victim.sha256, "trial": trial, "file": file, "label": part.label}
                    lines.write(json.dumps(found | {"probabilities": probabilities.tolist()}) + "\n")
        print(f"{trial}: {stack.label} done", flush=True)


def entries(ledger: Path, victim: str) -> dict[tuple[str, str], tuple[str, list[float]]]:
    """Label and probabilities of each trial and file, of this victim."""
    if not ledger.exists():
        return {}
    found = [json.loads(line) for line in ledger.read_text().splitlines()]
    return {
        (one["trial"], one["file"]): (one["label"], one["probabilities"]) for one in found if one["victim"] == victim
    }


def table_of(ledger: Path, victim: str, labels: tuple[str, ...], files: set[str], paper: str) -> str:
    """The table over the given files, of the trials that are done for all of them."""
    found = entries(ledger, victim)
    lines = [head(paper, len(files))]
    for trial in TRIALS:
        rows = [found[trial, file] for file in sorted(files) if (trial, file) in found]
        if len(rows) == len(files):
            truth = np.array([labels.index(label) for label, _ in rows])
            lines.append(row(trial, np.array([probabilities for _, probabilities in rows]), truth, paper))
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=1000, help="test images of each label, at most")
    parser.add_argument("--seeds", type=int, nargs=2, default=(7, 8), help="of the victim and of its stand-in")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0], help="where one is trained")
    parser.add_argument("--recipe", choices=RECIPES, default=RECIPES[0], help="of a network that is trained")
    parser.add_argument("--steps", type=int, default=STEPS, help="how long one is trained by the recipe shifted")
    parser.add_argument(
        "--stand-in", type=Path, help="another classifier for the black box, instead of the second seed's"
    )
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--arithmetic", choices=("float32", "bfloat16"), default="bfloat16", help="of the gradients")
    parser.add_argument("--patch-steps", type=int, default=150, help="how long a patch that is missing is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table, out = arguments.table, arguments.out
    hidden = any(trial.endswith("black box") for trial in arguments.trials)
    how = (arguments.network, arguments.recipe, arguments.steps)
    victim = network(table, out, arguments.seeds[0], how, needed=True)
    surrogate = arguments.stand_in or network(table, out, arguments.seeds[1], how, needed=hidden)
    pictures = out / f"{table.stem}_{arguments.seeds[0]}_pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    train_images = cache(lambda label: read_stack(table, "train", label, PATCH_IMAGES, images.SIZE))
    bench = Bench(
        load_classifier(victim), surrogate, train_images, pictures, arguments.arithmetic, arguments.patch_steps
    )
    labels = labels_of(table)
    if bench.victim.findings.labels != labels or len(labels) != 2:
        raise SystemExit(
            f"The network knows {bench.victim.findings.labels} and the table {labels}: two and the same are needed."
        )
    ledger = out / f"{table.stem}_{arguments.seeds[0]}.jsonl"
    stacks = [read_stack(table, "test", label, arguments.limit, images.SIZE) for label in labels]
    for trial in arguments.trials:
        for number, stack in enumerate(stacks):
            attack(bench, stack, [trial], ledger, 100_000 * number)
    chest, skin = PAPER
    files = {file for stack in stacks for file in stack.files}
    made = table_of(ledger, bench.victim.sha256, labels, files, skin if "melanoma" in labels else chest)
    (out / f"{table.stem}_{arguments.seeds[0]}.md").write_text(made)
    print(made)


if __name__ == "__main__":
    main()

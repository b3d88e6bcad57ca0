"""Train a network for Finlayson's experiment: ``python train.py TABLE.csv OUT [--network NAME] [--recipe NAME] [--seed N]``.

TABLE.csv has the columns file, label and split, of 8-bit DICOM images of one size; only rows of the split "train" are
read. The network reads [-1, 1] at 224 x 224 and learns plain cross-entropy. There are no ImageNet weights here, so it
starts from random ones. Two recipes: *shifted*, of images that are mirrored and shifted by whole pixels, so that no
interpolation smooths what is learned from; and *turned*, of a DenseNet121, images turned, sheared, zoomed, shifted and
mirrored, first at 128 x 128, and at the end one epoch of the images as they are (``--last 0`` leaves that out).
Writes ``model.pt2`` and its card ``model.toml``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import images
import torch
from shifted import trained_shifted
from torch import nn
from turned import trained_turned

NETWORKS = ("densenet121", "resnet50")
RECIPES = ("shifted", "turned")
STEPS = 1200
CARD = """name = "{name}, {network}"
weights = "model.pt2"
labels = [{labels}]
activation = "softmax"
output = "logits"
unit = "presentation value"
reads = "slices"

[[preprocess]]
step = "resize"
size = [224, 224]
"""


def export(network: nn.Module, channels: int, path: Path) -> None:
    """Write ``network`` by ``torch.export``: any number of images, no example input, no path in it."""
    network = network.eval().to(memory_format=torch.contiguous_format)
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(
        network, (torch.rand(2, channels, images.SIZE, images.SIZE),), dynamic_shapes=({0: batch},)
    )
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def train(
    table: Path,
    out: Path,
    seed: int,
    network: str = NETWORKS[0],
    recipe: str = RECIPES[0],
    *,
    last: int = 1,
    steps: int = STEPS,
) -> None:
    """Train on the table's training images; write the network and its card into ``out``."""
    voxels, targets, labels = images.read_table(table, "train")
    if recipe == "shifted":
        made = trained_shifted(network, voxels, targets, len(labels), seed, steps)
    elif network == "densenet121":
        made = trained_turned(voxels, targets, len(labels), seed, last)
    else:
        raise SystemExit(f"The recipe {recipe} is for densenet121, not for {network}: choose that one, or shifted.")
    out.mkdir(parents=True, exist_ok=True)
    export(made, voxels.shape[1], out / "model.pt2")
    names = ", ".join(f'"{label}"' for label in labels)
    (out / "model.toml").write_text(CARD.format(name=table.stem, network=network, labels=names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--recipe", choices=RECIPES, default=RECIPES[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--last", type=int, default=1, help="turned: epochs of the images as they are, at the end")
    parser.add_argument("--steps", type=int, default=STEPS, help="shifted: of 16 images each")
    arguments = parser.parse_args()
    options = {"last": arguments.last, "steps": arguments.steps}
    train(arguments.table, arguments.out, arguments.seed, arguments.network, arguments.recipe, **options)


if __name__ == "__main__":
    main()

"""Train the chest-radiograph classifier: ``python train.py FOLDER_OF_CXR OUT_FOLDER [--validate]``.

With ``--validate`` a fifth of the training patients is held out, its AUC is printed at the end and nothing is written.
Without, the network is trained on all training patients and exported; the test patients are never read here
(``measure.py`` reads them).
"""

from __future__ import annotations

import argparse
import math
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from augment import augmented
from network import AsShown, Committee, ResidualNet, Standardise
from numpy.typing import NDArray
from radiographs import SIZE, Radiographs, read_table, resized
from scores import area_under_curve
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SEED = 7
EPOCHS = 50
BATCH = 32
PEAK_RATE = 2e-3
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1
MIXUP = 0.2


def held_out_patients(patients: NDArray[np.str_], share: float, seed: int) -> NDArray[np.bool_]:
    """True for the radiographs of a random ``share`` of the patients; bool, (image,)."""
    names = np.unique(patients)
    chosen = np.random.default_rng(seed).permutation(names)[: round(share * len(names))]
    return np.isin(patients, chosen)


def rate_at(progress: float) -> float:
    """Learning rate at ``progress`` 0..1: a linear warm-up over 10 %, then half a cosine."""
    if progress < 0.1:
        return PEAK_RATE * progress / 0.1
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


def mixed_loss(network: torch.nn.Module, presentation: Tensor, targets: Tensor, rng: torch.Generator) -> Tensor:
    """Cross-entropy of pairs of images blended by a random weight (mixup; Zhang et al., ICLR 2018)."""
    weight = float(torch.empty(1).uniform_(0, 1, generator=rng)) * MIXUP
    other = torch.randperm(len(targets), generator=rng)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network((1 - weight) * presentation + weight * presentation[other]).float()
    own = cross_entropy(logits, targets, label_smoothing=LABEL_SMOOTHING)
    return (1 - weight) * own + weight * cross_entropy(logits, targets[other], label_smoothing=LABEL_SMOOTHING)


@torch.inference_mode()
def pneumonia_scores(network: torch.nn.Module, radiographs: Radiographs) -> NDArray[np.float64]:
    """Logit of "pneumonia" less that of "no finding"; float64, (image,)."""
    network.eval()
    logits = torch.cat([network(resized(part)) for part in radiographs.presentation.split(50)])
    return (logits[:, 1] - logits[:, 0]).double().numpy()


def trained(
    presentation: Tensor, targets: Tensor, scaling: torch.nn.Module, seed: int, epochs: int, mirrored: bool
) -> torch.nn.Module:
    """One member: the exponential average of its weights over the steps. One thread, so that it repeats."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = ResidualNet(scaling).to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=WEIGHT_DECAY)
    steps = len(targets) // BATCH
    began = time.perf_counter()
    network.train()
    for epoch in range(epochs):
        order = torch.randperm(len(targets), generator=rng)
        losses = []
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            batch = augmented(presentation[rows], rng, mirrored=mirrored)
            batch = batch.contiguous(memory_format=torch.channels_last)
            loss = mixed_loss(network, batch, targets[rows], rng)
            for group in optimizer.param_groups:
                group["lr"] = rate_at((epoch * steps + step) / (epochs * steps))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            average.update_parameters(network)
            losses.append(loss.item())
        took = time.perf_counter() - began
        print(f"{type(scaling).__name__}  epoch {epoch + 1:3d}  loss {np.mean(losses):.3f}  {took:6.0f} s", flush=True)
    return average.module.eval()


def committee(radiographs: Radiographs, seed: int, epochs: int, *, mirrored: bool = True) -> Committee:
    """One member that sees standardised images and one that sees them as shown, trained side by side."""
    presentation = torch.cat([resized(part) for part in radiographs.presentation.split(100)])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(trained, presentation, radiographs.targets, scaling, seed + number, epochs, mirrored)
            for number, scaling in enumerate((Standardise(), AsShown()))
        ]
        return Committee([run.result() for run in runs])


def export(network: torch.nn.Module, path: Path) -> None:
    """Write ``network`` in eval mode by ``torch.export``: any number of images, no example input, no path in it."""
    network = network.eval().to(memory_format=torch.contiguous_format)
    example = torch.rand(2, 1, *SIZE, generator=torch.Generator().manual_seed(0))
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(network, (example,), dynamic_shapes=({0: batch},))
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder cxr/ of the radiographs; cxr.csv lies beside it")
    parser.add_argument("out", type=Path, help="folder for model.pt2")
    parser.add_argument("--validate", action="store_true", help="hold out a fifth of the patients; write nothing")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--not-mirrored", action="store_true", help="show no image mirrored")
    arguments = parser.parse_args()
    mirrored = not arguments.not_mirrored
    radiographs = read_table(arguments.folder, "train")
    if arguments.validate:
        held_out = held_out_patients(radiographs.patients, 0.2, SEED)
        network = committee(radiographs.chosen(~held_out), arguments.seed, arguments.epochs, mirrored=mirrored)
        watch = radiographs.chosen(held_out)
        for name, part in (("standardised", network.members[0]), ("as shown", network.members[1]), ("both", network)):
            print(f"held-out AUC, {name}: {area_under_curve(pneumonia_scores(part, watch), watch.targets.numpy()):.3f}")
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    network = committee(radiographs, arguments.seed, arguments.epochs, mirrored=mirrored)
    export(network, arguments.out / "model.pt2")


if __name__ == "__main__":
    main()

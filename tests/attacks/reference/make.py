"""Record what torchattacks does to a toy network, in the range 0 to 1: `python -m tests.attacks.reference.make`.

Needs torchattacks (3.5.1 made the file here); the tests only read the record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchattacks

from tests.attacks.reference.toy import Toy

GRID = 2.0**-20


peer: Any = torchattacks


def main() -> None:
    torch.manual_seed(0)
    toy = Toy()
    images = torch.round(torch.rand(4, 1, 12, 12) * 0.9 / GRID) * GRID + 0.05 // GRID * GRID
    labels = toy(images).argmax(dim=1)
    attacks: dict[str, Any] = {
        "fgsm": peer.FGSM(toy, eps=8 / 255),
        "pgd": peer.PGD(toy, eps=8 / 255, alpha=1 / 255, steps=7, random_start=False),
        "pgd_l2": peer.PGDL2(toy, eps=0.5, alpha=0.125, steps=3, random_start=False),
    }
    found = {name: attack(images, labels).numpy() for name, attack in attacks.items()}
    weights = {f"weight_{name}": value.numpy() for name, value in toy.state_dict().items()}
    np.savez_compressed(
        Path(__file__).with_name("torchattacks.npz"), images=images.numpy(), labels=labels.numpy(), **weights, **found
    )


if __name__ == "__main__":
    main()

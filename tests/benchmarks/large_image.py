"""Large: what a query of Square costs on an image of several megapixels, beside the network and its resampling alone.

`python tests/benchmarks/large_image.py` (`--size 1841 1955 --queries 100`); processor seconds, one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from napari_medadv.attacks.plain import fool
from napari_medadv.attacks.square import Square
from napari_medadv.model.preprocess.resize import Resize
from napari_medadv.threat import Linf


class Shrunk(nn.Module):
    """The image at 224 x 224, and a small network that reads it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.resize = Resize((224, 224))
        self.network = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 2)
        )
        self.eval().requires_grad_(False)

    def forward(self, values: Tensor) -> Tensor:
        """Logits (batch, 2)."""
        found: Tensor = self.network(self.resize(values))
        return found


def seconds(call: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(1955, 1841), metavar=("Y", "X"))
    parser.add_argument("--queries", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    image = torch.rand((1, 1, *args.size), generator=torch.Generator().manual_seed(0))
    network = Shrunk()
    label = network(image).argmax(dim=1)

    def attack(queries: int) -> Callable[[], object]:
        square = Square(queries, confidence=torch.inf)
        return lambda: fool(network, image, label, square, Linf(0.01), levels=4096)

    attack(2)()
    few, many = min(seconds(attack(2)) for _ in range(3)), min(seconds(attack(args.queries)) for _ in range(2))
    alone = min(seconds(lambda: network(image)) for _ in range(20))
    print(
        f"a query of Square {(many - few) / (args.queries - 2):.4f} s, the network alone {alone:.4f} s, the beginning {few:.3f} s"
    )


if __name__ == "__main__":
    main()

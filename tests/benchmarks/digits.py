"""A small CNN that was trained against PGD on scikit-learn's digits at 16 x 16, and the images that it has right."""

from __future__ import annotations

import importlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate


def network() -> nn.Module:
    """Two convolutions and two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 64, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def images() -> tuple[Tensor, Tensor]:
    """All digits, float32 (image, 1, 16, 16) in [0, 1], and their labels."""
    found = importlib.import_module("sklearn.datasets").load_digits()
    small = torch.from_numpy(found.images).float()[:, None] / 16
    return interpolate(small, (16, 16), mode="bilinear").clamp(0, 1), torch.from_numpy(found.target).long()


def trained(store: Path | None = None, steps: int = 500, reach: float = 0.1) -> tuple[nn.Module, Tensor, Tensor]:
    """The network, trained against PGD of `reach` (0: undefended), and the held-out images it has right with their labels."""
    torch.manual_seed(0)
    model, (inputs, labels) = network(), images()
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    inputs, labels = inputs[order], labels[order]
    if store is not None and store.exists():
        model.load_state_dict(torch.load(store, weights_only=True))
    else:
        optimiser = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(steps):
            rows = torch.randint(0, 1400, (64,))
            clean, truth = inputs[rows], labels[rows]
            values = clean
            for _ in range(5 if reach else 0):
                values = values.detach().requires_grad_(True)
                (gradient,) = torch.autograd.grad(cross_entropy(model(values), truth), values)
                values = (clean + (values + 0.3 * reach * gradient.sign() - clean).clamp(-reach, reach)).clamp(0, 1)
            optimiser.zero_grad()
            loss = cross_entropy(model(values.detach()), truth)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if store is not None:
            torch.save(model.state_dict(), store)
    model.eval().requires_grad_(False)
    held, truth = inputs[1400:], labels[1400:]
    right = model(held).argmax(dim=1) == truth
    return model, held[right], truth[right]

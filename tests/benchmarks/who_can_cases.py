"""The cases that a radiology classifier brings, each with how to tell a right answer from a wrong one."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

LEVELS = 4096


class Stopped(Exception):
    """The person said stop, and it was heard."""


class Plain(nn.Module):
    """A linear network over images, so that what can be reached within a budget is known."""

    def __init__(self, weight: Tensor, bias: Tensor, divide: float = 1.0) -> None:
        super().__init__()
        self.weight, self.bias, self.divide = nn.Parameter(weight), nn.Parameter(bias), divide

    def shift(self, amount: Tensor) -> None:
        """Add to the bias."""
        self.bias.data.add_(amount)

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = (values / self.divide).flatten(1) @ self.weight + self.bias
        return found


class AskedOnly(nn.Module):
    """A classifier behind a service: it answers numbers, there is no gradient."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.marker = nn.Parameter(torch.zeros(1))

    def forward(self, values: Tensor) -> Tensor:
        with torch.no_grad():
            found: Tensor = self.network(values.detach())
        return found.detach()


@dataclass(frozen=True)
class Case:
    """What is asked of a library.

    Attributes
    ----------
    name
        The row of the table.
    network, inputs, labels
        Whom to fool on what; labels are classes (image,), or what is present (image, label).
    epsilon, bounds
        The Linf budget and the range of values, in the unit of the inputs.
    classes
        Between how many a label decides.
    asks
        What is wished beyond: "region", "query", "cancel", "levels".
    mask
        Where values may change, broadcastable to the inputs.
    within
        bool, (image,): which of them can be fooled within two thirds of the budget; the others stand.
    """

    name: str
    network: nn.Module
    inputs: Tensor
    labels: Tensor
    epsilon: float
    bounds: tuple[float, float] = (0.0, 1.0)
    classes: int = 3
    asks: tuple[str, ...] = ()
    mask: Tensor = field(default_factory=lambda: torch.ones(1))
    within: Tensor = field(default_factory=lambda: torch.ones(1, dtype=torch.bool))

    @property
    def outputs(self) -> int:
        """How many logits there are."""
        with torch.no_grad():
            return int(self.network(self.inputs[:1]).shape[1])

    def asked(self) -> nn.Module:
        """The network as the library meets it."""
        return (AskedOnly(self.network) if "query" in self.asks else self.network).eval()

    def wrong(self, found: Tensor, *, budget: bool = True) -> str:
        """What is wrong with an answer; nothing where it is right. An attack that looks for the smallest has no budget."""
        change = (found - self.inputs).abs()
        if found.shape != self.inputs.shape or not bool(found.isfinite().all()):
            return "another shape, or no numbers"
        if budget and float(change.amax()) > self.epsilon * 1.01:
            return f"changes by {float(change.amax()):.3g} where {self.epsilon:.3g} was asked"
        if float((change * (1 - self.mask)).amax()) > 1e-3 * self.epsilon:
            return "changes outside the region"
        with torch.no_grad():
            fooled = self._fooled(found) & self.within
            could = self.within.expand(len(found))
            count = f"{int(fooled.sum())} of {int(could.sum())} fooled"
            if "levels" in self.asks:
                low, high = self.bounds
                steps = (found - low) / (high - low) * (LEVELS - 1)
                if float((steps - steps.round()).abs().amax()) > 0.01:
                    return "values that no file holds"
        return "" if bool(fooled[could].all()) else count

    def _fooled(self, found: Tensor) -> Tensor:
        logits: Tensor = self.network(found)
        if self.labels.ndim == 2:
            present = logits > 0
            before = self.labels > 0
            return ~present[:, 0] & (present[:, 1:] == before[:, 1:]).all(dim=1)
        if logits.shape[1] == 1:
            return (logits[:, 0] > 0).long() != self.labels
        return logits.argmax(dim=1) != self.labels


def cases() -> list[Case]:
    """One a row. Some images can be fooled within two thirds of the budget, some cannot be fooled at all."""
    return [
        _case("two classes", classes=2),
        _case("one logit", classes=2, outputs=1),
        _several_labels(),
        _case("HU range", bounds=(-1000.0, 1000.0)),
        _case("region", asks=("region",), mask=_half()),
        _case("3-D", shape=(1, 4, 8, 8)),
        _case("query-only", asks=("query",)),
        _case("cancel", asks=("cancel",)),
        _case("stored integers", asks=("levels",)),
    ]


def _half() -> Tensor:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    return mask


def _case(
    name: str,
    *,
    classes: int = 5,
    outputs: int | None = None,
    shape: tuple[int, ...] = (1, 8, 8),
    bounds: tuple[float, float] = (0.0, 1.0),
    asks: tuple[str, ...] = (),
    mask: Tensor | None = None,
) -> Case:
    rng = torch.Generator().manual_seed(0)
    low, high = bounds
    stored = torch.randint(1600, 2400, (8, *shape), generator=rng)
    inputs = (low + stored * ((high - low) / (LEVELS - 1))).float()
    width = classes if outputs is None else outputs
    weight = torch.randn(inputs[0].numel(), width, generator=rng)
    network = Plain(weight, torch.zeros(width), high - low)
    free = torch.ones(1) if mask is None else mask
    with torch.no_grad():
        network.shift(-network(inputs).mean(dim=0))
        logits = network(inputs)
        ones = (weight.T.reshape(width, *shape) * free[0]).flatten(1)
        if width == 1:
            labels, need = (logits[:, 0] > 0).long(), logits[:, 0].abs() / ones[0].abs().sum()
        else:
            labels = logits.argmax(dim=1)
            gaps, slopes = (
                logits.gather(1, labels[:, None]) - logits,
                (ones[labels][:, None] - ones[None]).abs().sum(dim=2),
            )
            need = (gaps / slopes.clamp_min(1e-9)).scatter(1, labels[:, None], torch.inf).amin(dim=1)
    epsilon = 1.6 * float(need.median())
    within = need < epsilon / 1.5
    return Case(name, network, inputs, labels, epsilon * (high - low), bounds, classes, asks, free, within)


def _several_labels() -> Case:
    """Three findings that go by voxels of their own; the first is present and is to be hidden, the others are to stay."""
    rng = torch.Generator().manual_seed(0)
    inputs = (torch.randint(1600, 2400, (6, 1, 8, 8), generator=rng) / (LEVELS - 1)).float()
    weight = torch.zeros(64, 3)
    weight[:24, 0] = weight[24:44, 1] = weight[44:, 2] = 1.0
    network = Plain(weight, torch.zeros(3))
    with torch.no_grad():
        network.shift(torch.tensor([0.5, -0.3, 0.4]) - network(inputs).mean(dim=0))
    labels = (network(inputs) > 0).detach().float()
    keep = labels[:, 0] > 0
    return Case("several labels", network, inputs[keep], labels[keep], 0.1, classes=3)

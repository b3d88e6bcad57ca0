"""A small convolutional network of the usual kind: stages that halve the image, a global mean, one logit."""

from __future__ import annotations

from torch import Tensor, nn


def _stage(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
    )


class NoduleNet(nn.Module):
    """Lung-windowed slices, (slice, 1, 256, 256) in 0..1, to the logit of "nodule", (slice, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(
            _stage(1, 16, 2),
            _stage(16, 24, 1),
            _stage(24, 32, 2),
            _stage(32, 48, 1),
            _stage(48, 48, 2),
            _stage(48, 64, 1),
        )
        self.local = nn.Conv2d(64, 1, 1)
        self.far = nn.Sequential(_stage(64, 96, 2), _stage(96, 96, 1), _stage(96, 128, 2), _stage(128, 128, 1))
        self.head = nn.Linear(128, 1)

    def map(self, slices: Tensor) -> Tensor:
        """Logits of neighbourhoods, (slice, 1, 32, 32): only training looks at them."""
        found: Tensor = self.local(self.near(slices))
        return found

    def forward(self, slices: Tensor) -> Tensor:
        logits: Tensor = self.head(self.far(self.near(slices)).mean((2, 3)))
        return logits

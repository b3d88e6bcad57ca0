"""A toy network: 1 x 12 x 12 in, three logits out, smooth everywhere."""

from torch import Tensor, nn


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)
        )

    def forward(self, values: Tensor) -> Tensor:
        logits: Tensor = self.layers(values)
        return logits

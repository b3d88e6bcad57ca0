"""Narrow residual networks with batch normalisation (He et al., CVPR 2016, https://arxiv.org/abs/1512.03385)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride != 1 else nn.Identity(),
                nn.Conv2d(channels_in, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, features: Tensor) -> Tensor:
        inner = torch.relu(self.first_norm(self.first(features)))
        return torch.relu(self.second_norm(self.second(inner)) + self.shortcut(features))


class Standardise(nn.Module):
    """Each image less its mean, over its standard deviation: blind to a linear change of brightness or contrast."""

    def forward(self, presentation: Tensor) -> Tensor:
        centred = presentation - presentation.mean((1, 2, 3), keepdim=True)
        return centred / (centred.square().mean((1, 2, 3), keepdim=True) + 1e-4).sqrt()


class AsShown(nn.Module):
    """Every image less one mean, over one standard deviation: how bright it is stays visible."""

    def forward(self, presentation: Tensor) -> Tensor:
        return (presentation - 0.53) / 0.25


class ResidualNet(nn.Module):
    """Presentation values 0..1, (image, 1, y, x), in; logits of "no finding" and "pneumonia", (image, 2), out."""

    def __init__(self, scaling: nn.Module, widths: tuple[int, ...] = (16, 32, 48, 72), dropout: float = 0.3) -> None:
        super().__init__()
        self.scaling = scaling
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, 2, 2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        blocks: list[nn.Module] = []
        channels_in = widths[0]
        for stage, channels in enumerate(widths):
            blocks += [Block(channels_in, channels, 1 if stage == 0 else 2), Block(channels, channels, 1)]
            channels_in = channels
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels_in, 2)

    def forward(self, presentation: Tensor) -> Tensor:
        features: Tensor = self.blocks(self.stem(self.scaling(presentation)))
        logits: Tensor = self.head(self.dropout(features.mean((2, 3))))
        return logits


class Committee(nn.Module):
    """The mean of its members' logits."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, presentation: Tensor) -> Tensor:
        return torch.stack([member(presentation) for member in self.members]).mean(0)

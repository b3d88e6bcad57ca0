"""Grid: what can be stored. An adversary's values are rounded onto it, and never out of the budget."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from napari_medadv.errors import ThreatError
from napari_medadv.threat.budget import Budget
from napari_medadv.volume import Array, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The stored integers of some batch entries and where each may go.

    Attributes
    ----------
    stored
        int64, (batch, channel, z, y, x): the clean integers.
    slope
        float64, broadcastable to it: value per stored step.
    lowest, highest
        What can be stored.
    padding
        Stored integers that no voxel may newly take, inclusive, or None.
    free
        bool, the shape of `stored`: which voxels may change (inside the region, not padding).
    all_free
        Whether all may.
    """

    stored: Tensor
    slope: Tensor
    lowest: int
    highest: int
    padding: tuple[int, int] | None
    free: Tensor
    all_free: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_free", bool(self.free.all()))

    def codes(self, delta: Tensor, budget: Budget) -> Tensor:
        """Whole grey levels of change, int64, from a change `delta` in the volume's unit; never outside the budget.

        The nearest ones where these keep the budget, or keep it once each voxel that overspends is cut back; else the
        change is cut towards zero. What float32 lost on the way (a hundredth of a level at most) is forgiven, or a
        change of 8 HU would be stored as 7; where that would overspend the budget, nothing is forgiven.
        """
        exact = delta.double()
        found = self._whole(exact, 0.5)
        cut = budget.project(found * self.slope) if budget.norm == "Linf" else exact
        for less, slack in ((cut, self.slack), (exact, self.slack), (None, 0.0)):
            over = budget.size(found * self.slope) > budget.epsilon * (1 + 1e-9)
            if not bool(over.any()):
                break
            strict = self._whole(budget.project(exact) if less is None else less, slack)
            found = torch.where(over.view(-1, *[1] * (delta.ndim - 1)), strict, found)
        return found

    def snap(self, delta: Tensor, budget: Budget) -> Tensor:
        """The change that would be stored, float32, in the volume's unit."""
        return (self.codes(delta, budget) * self.slope).to(torch.float32)

    def nearest(self, delta: Tensor) -> Tensor:
        """The nearest change that can be stored, float32, whatever the budget."""
        return (self._whole(delta.double(), 0.5) * self.slope).to(torch.float32)

    def _whole(self, delta: Tensor, slack: float) -> Tensor:
        levels = delta / self.slope
        steps = torch.where(self.free, torch.trunc(levels + torch.sign(levels) * slack), 0.0).to(torch.int64)
        target = (self.stored + steps).clamp(self.lowest, self.highest)
        if self.padding is not None:
            low, high = self.padding
            inside = (target >= low) & (target <= high)
            target = torch.where(inside, torch.where(self.stored > high, high + 1, low - 1), target)
        return torch.where(self.free, target - self.stored, 0)

    def take(self, entries: Tensor) -> Grid:
        """The grid of the chosen batch entries."""
        slope = self.slope[entries] if len(self.slope) > 1 else self.slope
        return Grid(self.stored[entries], slope, self.lowest, self.highest, self.padding, self.free[entries])

    @property
    def level(self) -> Tensor:
        """One grey level of each entry (the largest of its slices), float32, (batch,) or (1,)."""
        return self.slope.abs().flatten(1).amax(dim=1).to(torch.float32)

    @property
    def slack(self) -> float:
        """The share of a level that float32 may have lost on the way."""
        span = max(abs(self.lowest), abs(self.highest), 1)
        return min(max(1e-4, 8 * span * float(torch.finfo(torch.float32).eps)), 0.01)


@dataclass(frozen=True, slots=True, eq=False)
class Unrounded:
    """No grid at all: every number can be kept. For plain tensors, where no file is meant.

    Attributes
    ----------
    free
        bool, (batch, channel, z, y, x): which voxels may change.
    all_free
        Whether all may.
    """

    free: Tensor
    all_free: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_free", bool(self.free.all()))

    @property
    def level(self) -> Tensor:
        """Nothing, (1,): there are no grey levels."""
        return torch.zeros(1, device=self.free.device)

    def snap(self, delta: Tensor, budget: Budget) -> Tensor:
        """The change itself, where voxels are free."""
        return delta * self.free

    def nearest(self, delta: Tensor) -> Tensor:
        """The change itself, where voxels are free."""
        return delta * self.free

    def take(self, entries: Tensor) -> Unrounded:
        """The grid of the chosen batch entries."""
        return Unrounded(self.free[entries])


def grid(volume: Volume, slices: Array, free: Tensor, *, whole: bool, device: torch.device) -> Grid:
    """The grid of the chosen slices: one batch entry each, or one for the `whole` volume."""
    refuse_real(volume)
    stored = torch.from_numpy(volume.voxels[slices].astype("int64"))
    slope = torch.from_numpy(volume.scale.take(slices).slope)
    stored = stored.movedim(3, 0) if volume.colour else stored[None]
    stored = stored[None] if whole else stored.transpose(0, 1).unsqueeze(2)
    slope = slope.view(1, 1, -1, 1, 1) if whole else slope.view(-1, 1, 1, 1, 1)
    return Grid(
        stored.to(device),
        slope.to(device),
        volume.scale.lowest,
        volume.scale.highest,
        volume.scale.padding,
        free.to(device),
    )


def refuse_real(volume: Volume) -> None:
    """Refuse a volume that has no grey levels.

    Raises
    ------
    ThreatError
        Its pixels are floating point numbers.
    """
    if volume.real:
        raise ThreatError(
            "This series stores floating point numbers, which have no grey levels that an adversary could step along: choose "
            "a series of integer pixels."
        )

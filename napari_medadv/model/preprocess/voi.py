"""Voi: the display window of a DICOM file (PS3.3 C.11.2.1.2 and C.11.2.1.3), one or several, each its own channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_medadv.errors import ModelError
from napari_medadv.model.intake import shown
from napari_medadv.volume import Window


@dataclass(frozen=True, slots=True)
class Voi:
    """A grey image under each of some windows, from 0 to 1: one channel a window.

    Attributes
    ----------
    center, width
        A number, or as many centers as widths, in the classifier's unit.
    function
        "LINEAR" (the default of DICOM, whose width counts grey levels), "LINEAR_EXACT" or "SIGMOID".
    """

    center: float | tuple[float, ...]
    width: float | tuple[float, ...]
    function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"] = "LINEAR"

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError("center and width are empty, and a window at least is expected")

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows, in the order of the channels."""
        centers, widths = (each if isinstance(each, tuple) else (each,) for each in (self.center, self.width))
        if len(centers) != len(widths):
            raise ValueError(f"there are {len(centers)} centers for {len(widths)} widths")
        return tuple(Window(center, width, self.function) for center, width in zip(centers, widths, strict=True))

    def __call__(self, values: Tensor) -> Tensor:
        """Grey from 0 to 1, a channel for each window."""
        windows = self.windows
        if len(windows) > 1 and values.shape[1] != 1:
            raise ModelError(
                f"The step voi makes {len(windows)} channels of a grey image, but {values.shape[1]} channels arrive: "
                "name one window, or put it before `repeat`."
            )
        return torch.cat([shown(values, window) for window in windows], dim=1)

"""Volume: voxels as the DICOM file stores them, their place in the patient, and what the numbers mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_medadv.table import Table

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def several(unit: str) -> str:
    """A unit as it stands behind a number in a sentence: "stored values" and "levels", but "HU"."""
    return f"{unit}s" if unit.endswith(("value", "level")) else unit


@dataclass(frozen=True, slots=True)
class Window:
    """A display window of DICOM PS3.3 C.11.2 (VOI LUT), in the volume's unit; one of function TABLE follows its table."""

    center: float
    width: float
    function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID", "TABLE"] = "LINEAR"
    explanation: str = ""
    table: Table | None = None

    def __post_init__(self) -> None:
        if (self.function == "TABLE") != (self.table is not None):
            raise ValueError("a window has a table where its function is TABLE, and only there")
        if self.width < 1 if self.function == "LINEAR" else self.width <= 0:
            raise ValueError(f"a {self.function} window cannot be {self.width} wide")

    @classmethod
    def from_table(cls, table: Table, explanation: str = "") -> Window:
        """The window that shows values as the grey, 0 to 1, of a table's entries."""
        low, high = table.reach
        return cls((low + high) / 2, float(max(high - low, 1)), "TABLE", explanation, table)

    def through(self, table: Table) -> Window:
        """The same window over what `table` turns into its unit: in that of the table's integers."""
        return Window.from_table(Table(table.first, self.grey(table.entries).astype(np.float64)), self.explanation)

    @property
    def limits(self) -> tuple[float, float]:
        """The values shown as black and as white (as 12 % and 88 % of grey for SIGMOID; a table's ends)."""
        if self.function == "LINEAR":
            return self.center - 0.5 - (self.width - 1) / 2, self.center - 0.5 + (self.width - 1) / 2
        return self.center - self.width / 2, self.center + self.width / 2

    def grey(self, values: Array) -> npt.NDArray[np.float32]:
        """Grey under this window, before any inversion: float32, 0 to 1, the shape of `values`."""
        if self.table is not None:
            return self.table(values)
        wide = np.asarray(values, np.float32)
        if self.function == "SIGMOID":
            return np.asarray(1 / (1 + np.exp(-4 * (wide - self.center) / self.width)), np.float32)
        low, high = self.limits
        if high == low:
            return np.asarray(wide > low, np.float32)
        return np.asarray(((wide - low) / (high - low)).clip(0, 1), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What a stored integer means: value = slope * stored + intercept, in `unit`.

    Attributes
    ----------
    unit
        "HU", "stored value", "level" (8-bit display level), or what Rescale Type or Units say.
    slope, intercept
        float64, (z,): one a slice, or (1,): one for all.
    lowest, highest
        The least and the greatest integer that the file can store (from Bits Stored and Pixel Representation).
    padding
        The stored integers, both inclusive, that mean "no image here", or None.
    table
        How stored integers become `table.unit` where that is no line; values, budgets and windows are then in stored values.
    """

    unit: str
    lowest: int
    highest: int
    slope: Floats = field(default_factory=lambda: np.ones(1))
    intercept: Floats = field(default_factory=lambda: np.zeros(1))
    padding: tuple[int, int] | None = None
    table: Table | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", np.atleast_1d(np.asarray(self.slope, np.float64)))
        object.__setattr__(self, "intercept", np.atleast_1d(np.asarray(self.intercept, np.float64)))
        if self.slope.shape != self.intercept.shape or self.slope.ndim != 1:
            raise ValueError("slope and intercept must be two vectors of one length")
        if not (np.isfinite(self.slope).all() and np.isfinite(self.intercept).all() and (self.slope != 0).all()):
            raise ValueError("slope and intercept must be finite, and no slope zero")
        if self.lowest >= self.highest:
            raise ValueError(f"no integer can be stored between {self.lowest} and {self.highest}")

    @property
    def quantum(self) -> Floats:
        """The step between neighbouring grey levels: float64, (z,) or (1,), in `unit`."""
        return np.abs(self.slope)

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """The least and the greatest value that can be stored: float64, each (z,) or (1,), in `unit`."""
        ends = np.stack([self.lowest * self.slope + self.intercept, self.highest * self.slope + self.intercept])
        return ends.min(axis=0), ends.max(axis=0)

    def values(self, stored: Array) -> npt.NDArray[np.float32]:
        """What stored integers (z, ...) mean, in `unit`: float32, of their shape."""
        axes = (slice(None), *[None] * (stored.ndim - 1))
        if (self.slope == 1).all() and (self.intercept == np.rint(self.intercept)).all():
            return np.add(stored, self.intercept[axes].astype(np.float32), dtype=np.float32)
        values: npt.NDArray[np.float32] = (stored * self.slope[axes] + self.intercept[axes]).astype(np.float32)
        return values

    def take(self, slices: Array) -> Scale:
        """The scale of the chosen slices."""
        if len(self.slope) == 1:
            return self
        return replace(self, slope=self.slope[slices], intercept=self.intercept[slices])


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A stack of slices as stored.

    Attributes
    ----------
    voxels
        Stored integers (floating point numbers for a parametric map), (z, y, x), or (z, y, x, channel) for colour. Never
        written to: a new volume is made instead.
    affine
        float64, (4, 4): index (z, y, x, 1) to patient position (L, P, S, 1) in mm.
    scale
        What the integers mean.
    windows
        The file's own display windows, in the scale's unit; the first is the default.
    photometric
        Photometric Interpretation of the stored integers: "MONOCHROME1" (high is dark), "MONOCHROME2" or "RGB".
    modality
        DICOM Modality ("CT", "MR", "CR", ...).
    series_uid
        Series Instance UID of the source, or "" for one that was never in a file.
    facts
        Sentences about what is unusual here (a gap that was allowed, a gantry tilt); they go into every record and report.
    placed
        False where the file gives no position in the patient (a radiograph, a photograph): the affine is then spacing only.
    sides
        Where x and y run to in a patient that is not placed ("L", "I", or "LA" where oblique), as a radiograph says it; or "".
    """

    voxels: Array
    affine: Floats
    scale: Scale
    windows: tuple[Window, ...] = ()
    photometric: str = "MONOCHROME2"
    modality: str = ""
    series_uid: str = ""
    facts: tuple[str, ...] = ()
    placed: bool = True
    sides: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        if self.voxels.ndim not in (3, 4) or self.voxels.dtype.kind not in "iuf" or not self.voxels.size:
            raise ValueError(
                f"voxels must be numbers (z, y, x) or (z, y, x, channel), not {self.voxels.dtype} {self.voxels.shape}"
            )
        if np.shape(self.affine) != (4, 4):
            raise ValueError(f"the affine must be (4, 4), not {np.shape(self.affine)}")
        if len(self.scale.slope) not in (1, len(self.voxels)):
            raise ValueError(f"{len(self.scale.slope)} slopes do not fit {len(self.voxels)} slices")
        view = self.voxels.view()
        view.flags.writeable = False
        object.__setattr__(self, "voxels", view)
        object.__setattr__(self, "affine", np.asarray(self.affine, np.float64))

    @property
    def colour(self) -> bool:
        """Whether the last axis is a colour channel."""
        return self.voxels.ndim == 4

    @property
    def real(self) -> bool:
        """Whether voxels are floating point numbers, which have no grid of grey levels."""
        return self.voxels.dtype.kind == "f"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x), without the channels."""
        z, y, x = self.voxels.shape[:3]
        return z, y, x

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxels along z, y and x, in mm."""
        z, y, x = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return z, y, x

    @property
    def padding(self) -> Bools:
        """Where the file says that there is no image: bool, the shape of `voxels`."""
        return self.padded()

    def padded(self, slices: Array | slice = slice(None)) -> Bools:
        """Where the file says that there is no image in the chosen slices: bool, (z, y, x) or (z, y, x, channel)."""
        picked = self.voxels[slices]
        if self.real:
            found: Bools = ~np.isfinite(picked)
            return found
        if self.scale.padding is None:
            return np.zeros(picked.shape, bool)
        low, high = self.scale.padding
        return (picked >= low) & (picked <= high)

    def values(self, slices: Array | slice = slice(None)) -> npt.NDArray[np.float32]:
        """The values of the chosen slices in the scale's unit: float32, (z, y, x) or (z, y, x, channel)."""
        return self.scale.take(np.arange(len(self.voxels))[slices]).values(self.voxels[slices])

    def with_voxels(self, voxels: Array) -> Volume:
        """The same place and meaning with other stored integers."""
        if voxels.shape != self.voxels.shape or voxels.dtype != self.voxels.dtype:
            raise ValueError(f"{voxels.dtype} {voxels.shape} cannot stand for {self.voxels.dtype} {self.voxels.shape}")
        return replace(self, voxels=voxels)

    @property
    def window(self) -> Window:
        """The default window for display: the file's first, or the whole storable range; never this image's own extremes."""
        if self.windows:
            return self.windows[0]
        low, high = self.scale.limits
        return Window(
            (float(low.min()) + float(high.max())) / 2, float(high.max() - low.min()), "LINEAR_EXACT", "full range"
        )

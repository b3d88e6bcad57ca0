"""Volume to napari layer data: values in the volume's unit, mm, the window as contrast limits, the side of the patient as axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_medadv.display.orientation import axis_labels, screen_affine
from napari_medadv.slicewise import Slicewise, slicewise
from napari_medadv.volume import Array, Scale, Volume, Window

if TYPE_CHECKING:
    from napari_medadv.attacks import Perturbation
    from napari_medadv.attacks.survival import Survival
    from napari_medadv.dicom.geometry import Allowable
    from napari_medadv.dicom.series import Series
    from napari_medadv.measure.heatmap import Difference
    from napari_medadv.model import Classifier

KEY = "napari_medadv"
"""The key of a layer's metadata under which the noun behind it is found."""

SHOWN = "shown"
"""The key under which the very array stands that the layer was made with: another one was not made here."""

_NODES = 1024
"""Points of a window's curve on the screen."""

_LOOKS = 16
"""Slices whose values say how far the contrast sliders go."""

OVER = "over"
"""The key under which the noun stands that a map of suspicion lies over."""

FACTS = "facts"
"""The key under which the sentences stand that must travel with the volume."""


LayerData = tuple[Array | Slicewise, dict[str, Any], Literal["image"]]


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A volume and the series it was read from; without a series it cannot be saved as DICOM.

    Attributes
    ----------
    allow
        The kinds of problems of the series that were overlooked by choice.
    """

    volume: Volume
    series: Series | None = None
    allow: tuple[Allowable, ...] = ()

    @property
    def name(self) -> str:
        """What the layer is called: modality and series number; a description may name the patient."""
        number = self.series.number if self.series is not None else None
        numbered = "image" if number is None else f"series {number}"
        return f"{self.volume.modality} {numbered}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What an attack did to a loaded series, who was fooled, the signed difference that is shown, and how long it lasts."""

    loaded: Loaded
    classifier: Classifier
    perturbation: Perturbation
    difference: Difference
    survival: Survival | None = None

    @property
    def name(self) -> str:
        """What the layer is called: the attack and its budget, short enough for the layer list."""
        budget = self.perturbation.threat.budget
        return f"adversarial {type(self.perturbation.attack).__name__} {budget.epsilon:g}"


def volume_layer(loaded: Loaded) -> LayerData:
    """The image layer of a loaded series."""
    return _image(loaded.volume, loaded.name, loaded)


def adversarial_layer(outcome: Outcome) -> LayerData:
    """The image layer of a perturbed series, laid exactly over its source."""
    return _image(outcome.perturbation.adversarial, outcome.name, outcome)


def placement(volume: Volume) -> dict[str, Any]:
    """What every layer that lies on this volume shares: scale, units, axis labels, and the turn that puts anterior up."""
    return {
        "scale": volume.spacing,
        "units": (length_unit(volume),) * 3,
        "axis_labels": axis_labels(volume),
        "affine": screen_affine(volume),
    }


def length_unit(volume: Volume) -> str:
    """Millimetre ("mm"), or "pixel" where the file gives no spacing."""
    return "pixel" if any("distances are in pixels" in fact for fact in volume.facts) else "mm"


def shown_values(volume: Volume) -> Array | Slicewise:
    """The values in the volume's unit, (z, y, x) or (z, y, x, channel); integers where the rescale allows, else float32.

    Those of a large volume are made slice by slice, when they are looked at.
    """
    voxels, scale = volume.voxels, volume.scale
    if volume.colour:
        if voxels.dtype == np.uint8:
            return voxels
        return slicewise(voxels, np.uint8, lambda key, _: _levels(voxels[key], scale))
    slope, intercept = scale.slope, scale.intercept
    if volume.real:
        return slicewise(voxels, np.float32, lambda key, rows: scale.take(rows).values(voxels[key]))
    if len(slope) == 1 and slope[0] == 1 and intercept[0] == int(intercept[0]):
        if intercept[0] == 0:
            return voxels
        low, high = (int(limit[0]) for limit in scale.limits)
        if np.iinfo(np.int16).min <= low and high <= np.iinfo(np.int16).max:
            step = np.int16(intercept[0])
            return slicewise(
                voxels, np.int16, lambda key, _: np.add(voxels[key], step, dtype=np.int16, casting="unsafe")
            )
    return slicewise(voxels, np.float32, lambda key, rows: scale.take(rows).values(voxels[key]))


def _levels(stored: Array, scale: Scale) -> Array:
    span = scale.highest - scale.lowest
    found: Array = ((stored.astype(np.int64) - scale.lowest) * 255 // span).astype(np.uint8)
    return found


def contrast_range(volume: Volume, reach: tuple[float, float]) -> tuple[float, float]:
    """How far the contrast sliders of a grey volume go: to what its values are (of some slices), and as far as `reach`."""
    rows = np.unique(np.linspace(0, len(volume.voxels) - 1, min(len(volume.voxels), _LOOKS)).astype(int))
    values = volume.scale.take(rows).values(volume.voxels[rows])
    values = values[np.isfinite(values)]
    if not values.size:
        return reach
    least, most = float(values.min()), float(values.max())
    if volume.scale.unit == "HU":
        least, most = max(least, -1024.0), min(most, 3071.0)
    return min(least, reach[0]), max(most, reach[1])


def drawable(window: Window) -> tuple[float, float]:
    """The values between which a window makes greys, as contrast limits; a window one wide still has two ends."""
    low, high = window.limits
    if window.function == "SIGMOID":
        low, high = window.center - 1.5 * window.width, window.center + 1.5 * window.width
    return low, max(high, low + 1e-3)


def window_style(volume: Volume, window: Window) -> dict[str, Any]:
    """What shows a grey volume under a window: contrast limits, and a colormap that is the window's own curve where it has one."""
    low, high = drawable(window)
    inverted = volume.photometric == "MONOCHROME1"
    colormap: Any = "gray_r" if inverted else "gray"
    if window.function in ("SIGMOID", "TABLE"):
        grey = window.grey(np.linspace(low, high, _NODES))
        grey = 1 - grey if inverted else grey
        colors = np.stack([grey, grey, grey, np.ones_like(grey)], axis=1)
        name = f"medadv {window.function} {window.explanation} {low:g} {high:g} {inverted}"
        colormap = {"name": name, "colors": colors, "interpolation": "linear"}
    return {"contrast_limits": (low, high), "colormap": colormap}


def _image(volume: Volume, name: str, noun: Loaded | Outcome) -> LayerData:
    values = shown_values(volume)
    metadata: dict[str, Any] = {KEY: noun, SHOWN: values, **({FACTS: list(volume.facts)} if volume.facts else {})}
    settings: dict[str, Any] = {"name": name, "metadata": metadata, **placement(volume)}
    if volume.colour:
        settings["rgb"] = True
    else:
        settings |= window_style(volume, volume.window)
        settings["interpolation2d"] = "linear"
    return values, settings, "image"

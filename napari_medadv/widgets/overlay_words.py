"""What the overlay dock says: the marks of its colorbar, and the numbers with their units."""

from __future__ import annotations

import math
from typing import Any

from napari_medadv.display import HeatView, Outcome
from napari_medadv.measure import grey_range
from napari_medadv.measure.distortion import Distortion
from napari_medadv.volume import Volume, several

NUMBERS = ("Linf", "L2 (worst slice)", "Changed voxels", "PSNR", "SSIM")


def amplified(view: HeatView, outcome: Outcome) -> str:
    """How much stronger the heat map shows a change than the image does."""
    volume, reach = outcome.loaded.volume, view.reach(outcome)
    times = view.amplification(outcome)
    unit, whole = several(volume.scale.unit), "no to full colour" if volume.colour else "black to white"
    colours = f"0 to {reach:g}" if view.kind == "absolute" else f"−{reach:g} to +{reach:g}"
    return (
        f"<b>Amplified {times:.3g} ×</b>: all colours from {colours} {unit}, where in the image {whole} takes "
        f"{grey_range(volume):g} {unit}."
    )


def scale_of(view: HeatView, reach: float, volume: Volume) -> tuple[Any, tuple[str, str, str]]:
    """The colours of the colorbar and the words at its left, middle and right."""
    colors, top = view.colors(reach), reach * view.factor(volume)
    unit = several(view.unit(volume))
    if view.kind == "absolute":
        return colors[len(colors) // 2 :], ("0", f"{top / 2:.3g}", f"{top:.3g} {unit}")
    return colors, (f"−{top:.3g}", "0", f"+{top:.3g} {unit}")


def spoken(numbers: Distortion) -> dict[str, str]:
    """The numbers with their units, in words for the table."""
    psnr = "no visible change" if math.isinf(numbers.psnr) else f"{numbers.psnr:.1f} dB in the display window"
    ssim = "slices too small" if math.isnan(numbers.ssim) else f"{numbers.ssim:.4f} in the display window"
    return {
        "Linf": f"{numbers.linf:g} {several(numbers.unit)}",
        "L2 (worst slice)": f"{numbers.l2_slice:.4g} {several(numbers.unit)}",
        "Changed voxels": f"{numbers.changed:,} in {numbers.slices} slice{'s' if numbers.slices != 1 else ''}".replace(
            ",", " "
        ),
        "PSNR": psnr,
        "SSIM": ssim,
    }

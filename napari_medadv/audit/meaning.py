"""Meaning: what a budget is in every measure, for the record and for a person."""

from __future__ import annotations

from typing import Any

from napari_medadv.audit.threat_json import budget_unit
from napari_medadv.settings import plain
from napari_medadv.threat import Budget
from napari_medadv.threat.amount import Amount, values
from napari_medadv.threat.gsdf import Display
from napari_medadv.threat.unit import measurable, stated
from napari_medadv.volume import Volume


def meaning(budget: Budget, volume: Volume, asked: Amount | None = None, *, whole: bool = False) -> dict[str, Any]:
    """What the budget means in the default display window of the volume, in JSON's types.

    Parameters
    ----------
    budget, volume
        What was given, and for which series.
    asked
        How the person said it; None where it was given in the unit of the volume.
    whole
        Whether one budget holds for all slices together.
    """
    low, high = volume.window.limits
    display = Display() if asked is None else asked.display
    found = (
        stated(budget, volume.window, values(volume, whole=whole), display)
        if measurable(volume.window)
        else {"epsilon": budget.epsilon}
    )
    if volume.colour:
        found.pop("JND", None)
    return {
        "asked": plain(asked or Amount(budget.epsilon)),
        "norm": budget.norm,
        "unit": budget_unit(budget, volume.scale.unit),
        "window": [low, high],
        "display cd/m2": [display.darkest, display.brightest],
        "stated": found,
    }


def meaning_words(found: dict[str, Any]) -> str:
    """The same in a line: "12 HU = 0.8 % of the window = 2.0 of 255 greys = 4.4 JND, PSNR at least 41.9 dB"."""
    said, norm, unit = found["stated"], found["norm"], found["unit"]
    head = f"{said['epsilon']:.6g} {unit}" + ("" if norm == "Linf" else f" ({norm})")
    if "native" not in said:
        return head
    if norm == "L2":
        head += f" = {said['native']:.3g} {unit} root mean square"
    parts = [
        head,
        f"{_short(said['% of window'])} % of the window",
        f"{_short(said['grey level of 255'])} of 255 greys",
    ]
    parts += [f"{_short(said['JND'])} JND"] if "JND" in said else []
    return " = ".join(parts) + f", PSNR at least {said['PSNR dB']:.1f} dB"


def _short(number: float) -> str:
    """Two digits, and whole numbers beyond: never "1e+02"."""
    return f"{number:.2g}" if abs(number) < 99.5 else f"{number:.0f}"

"""Unit: a budget in the reader's units, and what a budget means in all of them, for a display window."""

from __future__ import annotations

import math
from typing import Literal, get_args

from napari_medadv.errors import ThreatError
from napari_medadv.threat.budget import L2, Budget, Linf
from napari_medadv.threat.gsdf import Display
from napari_medadv.volume import Window

Measure = Literal["native", "% of window", "grey level of 255", "JND"]
"""The volume's unit; a share of the window's width; an 8-bit grey level in the window; a just noticeable difference."""


def native(amount: float, measure: Measure, window: Window, display: Display | None = None) -> float:
    """The largest change of one voxel, in the volume's unit, that is `amount` in another measure.

    Under a sigmoid window grey rises nowhere faster than under a linear one of the same width, so the amount is at
    most reached. Under a lookup table it is reached where the table is steepest. Outside the window, where nothing is
    seen, no more is allowed than inside.

    Parameters
    ----------
    amount, measure
        How much, in what.
    window
        The display window, in the volume's unit.
    display
        The calibrated display that JND refers to.
    """
    if measure == "native":
        return float(amount)
    if measure == "% of window":
        return amount * _width(window) / 100
    return _change(amount / _greys(measure, display), window)


def psnr(decibel: float, window: Window, values: int) -> L2:
    """The L2 budget within which the peak signal-to-noise ratio, of the window's width, is no less than `decibel`.

    Parameters
    ----------
    decibel
        The ratio that must be kept.
    window
        The display window: its width is the peak.
    values
        How many values one slice (or one volume, where that is read) holds, all channels.
    """
    if not math.isfinite(decibel):
        raise ThreatError("A budget of infinitely many decibel leaves nothing to change: give a finite number.")
    return L2(_change(10 ** (-decibel / 20), window) * math.sqrt(values))


def stated(budget: Budget, window: Window, values: int, display: Display | None = None) -> dict[str, float]:
    """What a budget means in every measure, by name, for a record.

    For Linf the change of one voxel; for L2 the root mean square over a slice (or volume); the PSNR is the least that
    the budget leaves. Other budgets are only stated as they are.

    Parameters
    ----------
    budget
        What was given, in the volume's unit.
    window
        The display window in use.
    values
        How many values one slice (or one volume) holds.
    display
        The calibrated display that JND refers to.
    """
    if not isinstance(budget, Linf | L2):
        return {"epsilon": budget.epsilon}
    change = float(budget.epsilon) if isinstance(budget, Linf) else budget.epsilon / math.sqrt(values)
    shown = _shown(change, window)
    found = {"native": change, "% of window": 100 * change / _width(window)}
    found |= {measure: shown * _greys(measure, display) for measure in get_args(Measure)[2:]}
    return {"epsilon": budget.epsilon, **found, "PSNR dB": -20 * math.log10(shown)}


def measurable(window: Window) -> bool:
    """Whether values look different anywhere under a window, so that a budget can be measured by it."""
    low, high = window.limits
    return high > low and (window.table is None or window.table.rise(high - low) > 0)


def _greys(measure: Measure, display: Display | None) -> float:
    """How many steps of this measure lie between black and white."""
    if measure == "grey level of 255":
        return 255.0
    if measure == "JND":
        return (Display() if display is None else display).differences
    raise ThreatError(f"{measure!r} is no measure of a budget: name one of {', '.join(get_args(Measure))}.")


def _shown(change: float, window: Window) -> float:
    """The most that a change of a value is seen as, as a share of the way from black to white."""
    width = _width(window)
    return change / width if window.table is None else window.table.rise(change)


def _change(share: float, window: Window) -> float:
    """The largest change of a value that is nowhere seen as more than this share of the way from black to white."""
    width = _width(window)
    if window.table is None:
        return share * width
    low, high = 0.0, width
    if _shown(high, window) <= share:
        return share * width
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _shown(middle, window) <= share else (low, middle)
    return low


def _width(window: Window) -> float:
    low, high = window.limits
    if not measurable(window):
        raise ThreatError("A window of one grey level has no width to measure a budget by: choose a wider one.")
    return high - low

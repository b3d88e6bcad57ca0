"""Words for the examine dock; none of them says that a series is clean."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from napari_medadv.widgets.suspicion import Sign, Suspicion

ASKS = {
    "alignment": "Does fine detail point where the model's gradient does?",
    "block_grid": "Do neighbours differ more across every eighth border, as after JPEG?",
    "density": "Do the model's features lie where those of clean images are dense?",
    "flip": "How little would turn the decision back?",
    "grain": "Has fine detail the grain of the model's gradient?",
    "header": "Does the file contradict itself?",
    "histogram": "Has the histogram gaps or combs, as after a stretched contrast?",
    "knn": "How far are the nearest clean images in the model's features?",
    "lid": "Do the features spread in more directions than those of clean images?",
    "mahalanobis": "Are the model's features far from those of clean images?",
    "mirror": "Does the decision stand when the image is mirrored?",
    "noise_margin": "Does the decision waver under the scanner's own noise?",
    "outside": "Is there detail where there is no body?",
    "resampling": "Do second differences have a period, as after interpolation?",
    "residual": "Does the noise of a slice leave the course of its neighbours?",
    "spectrum": "Is the power at some fineness unlike that of clean images?",
    "squeeze": "Does the decision weaken when the image is filtered lightly?",
}
"""What each detector asks."""


def summary(found: Suspicion) -> str:
    """The verdict in a line or two."""
    verdict = found.examination
    if verdict is None:
        asked = ", ".join(sign.detector for sign in found.signs) or "none"
        return f"<b>No verdict</b>: no detector was asked against clean series; {asked} without."
    low, high = verdict.interval
    rate = f"at {100 * verdict.level:g} % false alarms ({100 * low:.1f} to {100 * high:.1f} % with so few clean images)"
    head = "Suspicious" if verdict.alarm else "Nothing found, which does not mean clean"
    beware = f" {escape(verdict.caution)}" if verdict.caution else ""
    return f"<b>{head}</b>: together p = {verdict.p:.3f}, {rate}.{beware}"


def overall(found: Suspicion) -> str:
    """What would pass all detectors that were asked, and what was not asked."""
    counted = found.examination.unseen if found.examination is not None else ()
    unseen = counted or tuple(f"by {sign.detector}, {sign.evaded_by}" for sign in found.signs)
    return _list("What would pass unseen", unseen) + _list("Not asked, and why", found.missing)


def details(sign: Sign) -> str:
    """One detector in words."""
    cost = f"{sign.cost:,} forward passes of the network" if sign.cost else "the network was not asked"
    asks = ASKS.get(sign.detector, "")
    slices = ", ".join(str(index) for index in sign.slices[:5])
    parts = [
        f"<b>{escape(sign.detector)}</b>: {escape(asks)}" if asks else f"<b>{escape(sign.detector)}</b>",
        escape(sign.sentence),
        f"Most suspicious slices: {slices}." if len(sign.slices) > 1 else "",
        f"Cost: {cost}.",
        f"<b>What would evade this</b>: {escape(sign.evaded_by)}.",
    ]
    return "".join(f"<p style='margin:0 0 4px 0'>{part}</p>" for part in parts if part)


def _list(title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<p style='margin:0 0 3px 0'>• {escape(sentence)}</p>" for sentence in sentences)
    return f"<p style='margin:0 0 3px 0'><b>{title}</b></p>{items}" if items else ""

"""Panel: one picture of an attack: clean, difference, adversarial, and what the classifier says of them; no identity."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from napari_medadv.attacks import Perturbation
from napari_medadv.audit.threat_json import budget_unit
from napari_medadv.measure import Difference, Distortion, amplification, signed_difference
from napari_medadv.orientation import flips
from napari_medadv.prediction import Prediction
from napari_medadv.threat.goal_words import goal_words
from napari_medadv.volume import Array, Volume, several

_BEFORE, _AFTER = "#4c78a8", "#d1495b"
_MOST_LABELS = 6


def write_panel(found: Perturbation, size: Distortion, path: Path) -> None:
    """Draw the panel of a perturbation as a PNG: the slice that changed most, or the middle one; `size` is printed."""
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}):  # a dollar sign in a label is one
        _draw(found, size, path)


def _draw(found: Perturbation, size: Distortion, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    difference = signed_difference(found.clean, found.adversarial)
    index = difference.strongest
    figure = Figure(figsize=(13, 7.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.6, 1])
    pictures, numbers = parts
    axes = pictures.subplots(1, 3)
    unit = found.clean.scale.unit
    for place, (volume, said, words) in enumerate(
        [(found.clean, found.before, "clean"), (found.adversarial, found.after, "adversarial, as stored")]
    ):
        axis = axes[2 * place]
        axis.imshow(picture(volume, index), cmap="gray", vmin=0, vmax=1, aspect=_aspect(volume))
        axis.set_title(f"{words}\n{_said(said)}", fontsize=10)
    _draw_difference(pictures, axes[1], found, difference, index)
    for axis in axes:
        axis.set_axis_off()
    _draw_numbers(numbers, found, size)
    where = f"slice {index + 1} of {len(found.clean.voxels)}, " if len(found.clean.voxels) > 1 else ""
    budget = f"{type(found.threat.budget).__name__} {found.threat.budget.epsilon:g} {several(budget_unit(found.threat.budget, unit))}"
    verdict = "reached" if found.reached else "NOT reached"
    figure.suptitle(
        f"{goal_words(found.threat.goal)} within {budget}, {type(found.attack).__name__}: {verdict} as stored   ({where}"
        f"window {_window(found.clean)})\nadversarial test image, not for diagnosis",
        fontsize=11,
    )
    _draw_notes(figure, found.clean.facts)
    figure.savefig(path, metadata={"Software": None})


def _draw_notes(figure: Any, facts: tuple[str, ...]) -> None:
    """What is unusual about the volume, beneath everything else."""
    if facts:
        words = textwrap.fill("note: " + "; ".join(facts), 190)
        height = 0.022 * (1 + words.count("\n"))
        figure.text(0.01, 0.004, words, fontsize=8, color=_AFTER, ha="left", va="bottom")
        figure.get_layout_engine().set(rect=(0, height, 1, 1 - height))


def picture(volume: Volume, index: int) -> Array:
    """One slice as a screen shows it: float32, (y, x) or (y, x, channel), 0 black to 1 white, held up for reading."""
    values = volume.values(slice(index, index + 1))[0]
    if volume.colour:
        grey = (values - volume.scale.lowest) / np.float32(volume.scale.highest - volume.scale.lowest)
    else:
        grey = volume.window.grey(values)
    return upright(1 - grey if volume.photometric == "MONOCHROME1" else grey, volume)


def upright(plane: Array, volume: Volume) -> Array:
    """A slice of `volume` (y, x, ...) turned as radiologists read it."""
    down, across = flips(volume)
    plane = plane[::-1] if down else plane
    return plane[:, ::-1] if across else plane


def _draw_difference(figure: Any, axis: Any, found: Perturbation, difference: Difference, index: int) -> None:
    plane = difference.values[index]
    if plane.ndim == 3:
        plane = np.take_along_axis(plane, np.abs(plane).argmax(axis=2)[..., None], axis=2)[..., 0]
    span = difference.largest or float(found.clean.scale.quantum.max())
    image = axis.imshow(upright(plane, found.clean), cmap="RdBu_r", vmin=-span, vmax=span, aspect=_aspect(found.clean))
    axis.set_title(
        f"difference, {-span:g} to {span:g} {several(difference.unit)}\ncontrast amplified {amplification(found.clean, 2 * span):.3g} times",
        fontsize=10,
    )
    bar = figure.colorbar(image, ax=axis, orientation="horizontal", fraction=0.05, pad=0.02)
    bar.set_label(difference.unit, fontsize=9)


def _draw_numbers(figure: Any, found: Perturbation, size: Distortion) -> None:
    findings = found.before.findings
    change = np.abs(found.after.probabilities - found.before.probabilities)
    labels = np.sort(np.argsort(-change, kind="stable")[:_MOST_LABELS])[::-1]
    by_slice = found.before.slices is not None and len(found.before.slices) > 1
    axes = np.atleast_1d(figure.subplots(1, 2 if by_slice else 1))
    rows = np.arange(len(labels))
    axes[0].barh(rows + 0.2, found.before.probabilities[labels], 0.36, color=_BEFORE, label="clean")
    axes[0].barh(rows - 0.2, found.after.probabilities[labels], 0.36, color=_AFTER, label="adversarial")
    limits = [(row, findings.threshold(findings.labels[label])) for row, label in enumerate(labels)]
    drawn = [(row, limit) for row, limit in limits if limit is not None]
    for row, limit in drawn:
        axes[0].plot([limit] * 2, [row - 0.45, row + 0.45], color="black", linewidth=1.2)
    axes[0].set(xlim=(0, 1), xlabel=f"probability ({'line: operating threshold' if drawn else 'the highest decides'})")
    axes[0].set_yticks(rows, [findings.labels[label] for label in labels])
    axes[0].legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.suptitle(size.sentence, fontsize=9)
    if by_slice:
        _draw_slices(axes[1], found)


def _draw_slices(axis: Any, found: Perturbation) -> None:
    findings = found.before.findings
    goal = found.threat.goal
    named = getattr(goal, "label", None) or getattr(goal, "hidden", None)
    label = named or findings.labels[int(found.before.probabilities.argmax())]
    for said, colour in ((found.before, _BEFORE), (found.after, _AFTER)):
        scores = np.empty(0) if said.slices is None else said.slices[:, findings.index(label)]
        axis.plot(np.arange(1, len(scores) + 1), scores, color=colour, linewidth=1.4)
    threshold = findings.threshold(label)
    if threshold is not None:
        axis.axhline(threshold, color="black", linewidth=1)
    axis.set(
        ylim=(-0.02, 1.02), xlabel="slice" if threshold is None else "slice (line: operating threshold)", ylabel=label
    )


def _said(prediction: Prediction) -> str:
    labels = sorted(prediction.findings.labels, key=lambda label: -prediction[label])[:2]
    marks = {True: " (present)", False: ""}
    return ", ".join(f"{label} {100 * prediction[label]:.1f} %{marks[label in prediction.present]}" for label in labels)


def _window(volume: Volume) -> str:
    low, high = volume.window.limits
    return f"{low:g} to {high:g} {several(volume.scale.unit)}"


def _aspect(volume: Volume) -> float:
    _, down, across = volume.spacing
    return down / across if down > 0 and across > 0 else 1.0

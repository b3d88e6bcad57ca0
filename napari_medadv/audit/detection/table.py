"""Table: the figures of an evaluation as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from napari_medadv.audit.detection.cases import HOSTILE
from napari_medadv.audit.detection.figures import FUSED, Figures, Line
from napari_medadv.audit.detection.rates import Interval
from napari_medadv.detect.conformal import Rate
from napari_medadv.errors import OutputError

_COLUMNS = ("case", "kind", "detector", "images", "reached", "changed")
_FIGURES = ("area", "at_one", "at_five", "benign")
_RATES = ("flagged", "unseen")


def markdown(figures: Figures) -> str:
    """The fused line of every case, then AUROC of each detector by case, from clean images and from benign changes."""
    fused = [line for line in figures.lines if line.detector == FUSED]
    words = [
        f"{figures.classifier}: {figures.fitted} clean images learnt from, {figures.calibrated} calibrate; {figures.clean} others of "
        f"{figures.patients} patients are examined. Fused: {', '.join(figures.fused)}.",
        "",
        "| case | reached | AUROC | TPR at 1 % FPR | TPR at 5 % FPR | AUROC from benign changes | alarms at a calibrated 5 % | succeeded unseen |",
        "|---|---|---|---|---|---|---|---|",
    ]
    words += [
        f"| {_case(line)} | {' | '.join(_said(getattr(line, name)) for name in (*_FIGURES, *_RATES))} |"
        for line in fused
    ]
    names = (FUSED, *figures.detectors, *figures.peers)
    for title, which in (("AUROC", "area"), ("AUROC from benign changes", "benign")):
        words += ["", f"{title} | {' | '.join(names)}".join(("| ", " |")), "|---" * (len(names) + 1) + "|"]
        for line in fused:
            areas: list[Interval | None] = [getattr(figures.line(line.case, name), which) for name in names]
            if any(areas):
                words.append(f"| {line.case} | {' | '.join('-' if a is None else f'{a.value:.3f}' for a in areas)} |")
    words += ["", *figures.skipped] if figures.skipped else []
    return "\n".join(words)


def facts(figures: Figures) -> dict[str, Any]:
    """The same as one JSON object."""
    lines = [
        {name: getattr(line, name) for name in _COLUMNS}
        | {name: _numbers(getattr(line, name)) for name in (*_FIGURES, *_RATES)}
        for line in figures.lines
    ]
    names = ("classifier", "detectors", "fused", "peers", "fitted", "calibrated", "clean", "patients", "skipped")
    return {name: getattr(figures, name) for name in names} | {"lines": lines}


def write_tables(figures: Figures, folder: Path) -> None:
    """Write detectors.csv and detectors.md.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    ends = [f"{name}{end}" for name in (*_FIGURES, *_RATES) for end in ("", "_low", "_high")]
    rows.writerow([*_COLUMNS, *ends])
    for line in figures.lines:
        numbers = [_numbers(getattr(line, name)) or ("", "", "") for name in (*_FIGURES, *_RATES)]
        rows.writerow([*(getattr(line, name) for name in _COLUMNS), *(part for three in numbers for part in three)])
    try:
        (folder / "detectors.csv").write_text(text.getvalue())
        (folder / "detectors.md").write_text(markdown(figures) + "\n")
    except OSError as error:
        raise OutputError(f"{folder.name} cannot be written to ({error.strerror}): free the disk.") from error


def _case(line: Line) -> str:
    reached = f"{line.reached} of {line.images}" if line.kind in HOSTILE else f"{line.images} images"
    return f"{line.case} | {reached}"


def _said(found: Interval | Rate | None) -> str:
    return "-" if found is None else str(found)


def _numbers(found: Interval | Rate | None) -> tuple[float, float, float] | None:
    if found is None:
        return None
    if isinstance(found, Rate):
        return (found.share, *found.interval) if found.total else None
    return found.value, found.low, found.high

"""Figures: what the rows of an evaluation come to, per detector and fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from napari_medadv.audit.detection.cases import HOSTILE, Kind
from napari_medadv.audit.detection.evaluate import Evaluation, Row
from napari_medadv.audit.detection.rates import Interval, area, bootstrapped, caught, curve
from napari_medadv.detect import Reference
from napari_medadv.detect.conformal import Rate, Scores, enough, fused_p_value, fused_score, p_value
from napari_medadv.errors import DetectorError

FUSED = "fused"

POOLED = "every attack"
"""The line of all attacks that know nothing of the detectors."""


@dataclass(frozen=True, slots=True)
class Line:
    """One detector on one case, scored on the attacks that reached their goal only.

    Attributes
    ----------
    images, reached
        How many images underwent the case, and on how many the goal was reached.
    area, at_one, at_five
        AUROC, and the share caught at 1 % and 5 % false alarms, on clean images; None for too few images.
    benign
        AUROC where attacks are to be told from the images after all benign changes instead; None for these.
    flagged
        The share of calibrated alarms at 5 %; None for a peer, which has no calibration of ours, and where too few clean images
        calibrate for such a threshold.
    unseen
        The share of all images on which the goal was reached and no alarm raised; None as before, and for controls.
    roc
        Pairs of false-alarm rate and share caught.
    """

    case: str
    kind: Kind
    detector: str
    images: int
    reached: int
    changed: float
    area: Interval | None
    at_one: Interval | None
    at_five: Interval | None
    benign: Interval | None
    flagged: Rate | None
    unseen: Rate | None
    roc: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All lines, and what they rest on."""

    classifier: str
    detectors: tuple[str, ...]
    fused: tuple[str, ...]
    peers: tuple[str, ...]
    fitted: int
    calibrated: int
    clean: int
    patients: int
    skipped: tuple[str, ...]
    lines: tuple[Line, ...]

    def line(self, case: str, detector: str = FUSED) -> Line:
        """The line of a case and a detector."""
        return next(line for line in self.lines if (line.case, line.detector) == (case, detector))


def figures(evaluation: Evaluation, level: float = 0.05) -> Figures:
    """Everything that is reported, from the rows."""
    ours = [name for name in evaluation.detectors if any(name in row.scores for row in evaluation.rows)]
    fused = tuple(name for name in ours if evaluation.detectors[name].weight > 0)
    peers = tuple(
        dict.fromkeys(name for row in evaluation.rows for name in row.scores if name not in evaluation.detectors)
    )
    columns = {name: _own(name, evaluation) for name in ours} | {FUSED: _together(fused, evaluation)}
    columns |= {name: [(row.scores.get(name, np.nan), np.nan) for row in evaluation.rows] for name in peers}
    cases = dict.fromkeys((row.case, row.kind) for row in evaluation.rows)
    rows = evaluation.rows
    groups: list[tuple[str, Kind, list[bool]]] = [
        (case, kind, [row.case == case for row in rows]) for case, kind in cases
    ]
    attacks = [row.kind == "attack" for row in rows]
    groups += [(POOLED, "attack", attacks)] if any(attacks) else []
    lines = [_line(name, column, rows, level, *group) for group in groups for name, column in columns.items()]
    clean = [row for row in evaluation.rows if row.kind == "clean"]
    short = _short(evaluation.reference, level)
    if short:
        lines = [replace(line, flagged=None, unseen=None) for line in lines]
    return Figures(
        evaluation.classifier,
        tuple(ours),
        fused,
        peers,
        evaluation.reference.fitted,
        evaluation.reference.count,
        len(clean),
        len({row.patient for row in clean}),
        (*evaluation.skipped, *short),
        tuple(lines),
    )


def _short(reference: Reference, level: float) -> tuple[str, ...]:
    """Why no alarm at that level can be counted, or nothing."""
    try:
        enough(reference.count, level)
    except DetectorError as error:
        return (f"No alarms were counted. {error}",)
    return ()


def _own(name: str, evaluation: Evaluation) -> list[tuple[float, float]]:
    """Score and p-value of each row."""
    clean = evaluation.reference.learnt[name].scores
    found = [row.scores.get(name, np.nan) for row in evaluation.rows]
    return [(score, np.nan if np.isnan(score) else p_value(score, clean)) for score in found]


def _together(names: Sequence[str], evaluation: Evaluation) -> list[tuple[float, float]]:
    found = []
    for row in evaluation.rows:
        here = [name for name in names if name in row.scores]
        if not here:
            found.append((np.nan, np.nan))
            continue
        clean = np.stack([evaluation.reference.learnt[name].scores for name in here], axis=1)
        scores = np.array([row.scores[name] for name in here])
        weights = np.array([evaluation.detectors[name].weight for name in here])
        found.append((fused_score(scores, clean, weights), fused_p_value(scores, clean, weights)))
    return found


def _line(
    name: str,
    column: Sequence[tuple[float, float]],
    rows: Sequence[Row],
    level: float,
    case: str,
    kind: Kind,
    members: Sequence[bool],
) -> Line:
    pairs = [
        (row, one, score, p) for row, one, (score, p) in zip(rows, members, column, strict=True) if not np.isnan(score)
    ]
    hits = [(row, score, p) for row, one, score, p in pairs if one and row.reached]
    tried = sum(members)
    mine: Scores = np.array([score for _, score, _ in hits], np.float64)
    whose = [row.patient for row, _, _ in hits]

    def beside(against: Kind, share: Callable[[Scores, Scores], float]) -> Interval | None:
        others = [(row.patient, score) for row, _, score, _ in pairs if row.kind == against]
        if kind in ("clean", against) or len(mine) < 3 or len(others) < 5:
            return None
        theirs: Scores = np.array([score for _, score in others], np.float64)
        return bootstrapped(share, mine, whose, theirs, [patient for patient, _ in others])

    clean: Scores = np.array([score for row, _, score, _ in pairs if row.kind == "clean"], np.float64)
    found = beside("clean", area)
    calibrated = any(not np.isnan(p) for _, _, _, p in pairs)
    alarms = sum(p <= level for _, _, p in hits)
    return Line(
        case,
        kind,
        name,
        tried,
        len(hits),
        float(np.median([row.changed for row, _, _ in hits])) if hits else 0.0,
        found,
        beside("clean", partial(caught, rate=0.01)),
        beside("clean", partial(caught, rate=0.05)),
        beside("control", area),
        Rate(alarms, len(hits)) if calibrated and hits else None,
        Rate(len(hits) - alarms, tried) if calibrated and kind in HOSTILE else None,
        tuple(curve(mine, clean)) if found is not None else (),
    )

"""Figures: what the rows of an evaluation come to, per detector and fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from napari_medadv.audit.detection.cases import Kind
from napari_medadv.audit.detection.evaluate import Evaluation, Row
from napari_medadv.audit.detection.rates import Interval, area, bootstrapped, caught, curve
from napari_medadv.detect.conformal import Rate, Scores, fused_p_value, fused_score, p_value

FUSED = "fused"

POOLED: dict[str, Kind] = {"every attack": "clean", "every attack, from controls": "control"}
"""Lines of all attacks that know nothing of the detectors, and from which images they are to be told."""


@dataclass(frozen=True, slots=True)
class Line:
    """One detector on one case, scored on the attacks that reached their goal only.

    Attributes
    ----------
    images, reached
        How many images underwent the case, and on how many the goal was reached.
    area, at_one, at_five
        AUROC, and the share caught at 1 % and 5 % false alarms, on clean images or those of `POOLED`; None for too few images.
    flagged
        The share of calibrated alarms at 5 %; None for a peer, which has no calibration of ours.
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
    groups: list[tuple[str, Kind, Kind, list[bool]]] = [
        (case, kind, "clean", [row.case == case for row in rows]) for case, kind in cases
    ]
    attacks = [row.kind == "attack" for row in rows]
    groups += [(words, "attack", against, attacks) for words, against in POOLED.items() if any(attacks)]
    lines = [_line(name, column, rows, level, *group) for group in groups for name, column in columns.items()]
    clean = [row for row in evaluation.rows if row.kind == "clean"]
    return Figures(
        evaluation.classifier,
        tuple(ours),
        fused,
        peers,
        evaluation.reference.fitted,
        evaluation.reference.count,
        len(clean),
        len({row.patient for row in clean}),
        evaluation.skipped,
        tuple(lines),
    )


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
    against: Kind,
    members: Sequence[bool],
) -> Line:
    pairs = [
        (row, one, score, p) for row, one, (score, p) in zip(rows, members, column, strict=True) if not np.isnan(score)
    ]
    clean = [(row.patient, score) for row, _, score, _ in pairs if row.kind == against]
    hits = [(row, score, p) for row, one, score, p in pairs if one and row.reached]
    tried = sum(members)
    mine: Scores = np.array([score for _, score, _ in hits], np.float64)
    theirs: Scores = np.array([score for _, score in clean], np.float64)
    whose, of = [row.patient for row, _, _ in hits], [patient for patient, _ in clean]
    enough = kind != "clean" and len(mine) >= 3 and len(theirs) >= 5
    shares: list[Callable[[Scores, Scores], float]] = [area, partial(caught, rate=0.01), partial(caught, rate=0.05)]
    found = [bootstrapped(each, mine, whose, theirs, of) if enough else None for each in shares]
    calibrated = any(not np.isnan(p) for _, _, _, p in pairs)
    alarms = sum(p <= level for _, _, p in hits)
    return Line(
        case,
        kind,
        name,
        tried,
        len(hits),
        float(np.median([row.changed for row, _, _ in hits])) if hits else 0.0,
        found[0],
        found[1],
        found[2],
        Rate(alarms, len(hits)) if calibrated and hits else None,
        Rate(len(hits) - alarms, tried) if calibrated and kind in ("attack", "adaptive") else None,
        tuple(curve(mine, theirs)) if enough else (),
    )

"""Each slice: what one slice is asked for, so that the series as a whole is said to show what the goal wishes."""

from __future__ import annotations

from napari_medadv.model.classifier import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.threat import Alone, Conceal, Confuse, Goal, Reach, Region
from napari_medadv.threat.finer import Swap
from napari_medadv.threat.goal import Losing


def by_mean(classifier: Classifier, goal: Goal) -> bool:
    """Whether the mean of all slices decides, so that a slice that is as wished must still go on for the others."""
    every_slice = isinstance(goal, Conceal) or (isinstance(goal, Alone) and goal.wish == "conceal")
    every_slice |= isinstance(goal, Reach) and goal.way == "at most"
    return classifier.reads == "slices" and classifier.pooling == "mean" and not every_slice


def asked(goal: Goal, region: Region, before: Prediction, shape: tuple[int, int, int]) -> Goal:
    """The goal of one slice: that of the series, but where several findings lie in slices of their own.

    A series of several findings is confused by losing one of them: that which is least sure in the slices that may
    change, and shown in no other.

    Parameters
    ----------
    goal, region
        Of the series, (z, y, x) of `shape`.
    before
        What is said of the clean series.
    """
    if not isinstance(goal, Confuse) or before.slices is None or min(len(before.slices), len(before.present)) < 2:
        return goal
    scores, findings, slices = before.slices, before.findings, list(region.chosen(shape))
    fixed = findings.present(scores)
    fixed[slices] = False

    def hard(label: str) -> tuple[bool, float]:
        place = findings.index(label)
        return bool(fixed[:, place].any()), float(scores[slices, place].max()) / (findings.threshold(label) or 0.5)

    return Losing(min(before.present, key=hard))


def left(goal: Goal, after: Prediction, slices: tuple[int, ...]) -> tuple[int, ...]:
    """The slices in which a swap left the hidden finding though others show the other one: they need only conceal it."""
    if not isinstance(goal, Swap) or after.slices is None:
        return ()
    present = after.findings.present(after.slices)
    hidden, shown = (present[:, after.findings.index(label)] for label in (goal.hidden, goal.shown))
    if not (shown & ~hidden).any():
        return ()
    return tuple(index for index in slices if hidden[index])

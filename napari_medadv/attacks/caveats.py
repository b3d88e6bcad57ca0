"""Caveats: what a person must know beside a result, which the result itself does not show."""

from __future__ import annotations

from napari_medadv.attacks.attack import Attack
from napari_medadv.prediction import Prediction
from napari_medadv.threat import Alone, Conceal, Goal, Reach, Threat


def caveats(
    attack: Attack,
    threat: Threat,
    after: Prediction,
    slices: tuple[int, ...],
    count: int,
    *,
    reached: bool,
    mean: bool = False,
) -> tuple[str, ...]:
    """Sentences about a result.

    Parameters
    ----------
    attack, threat
        What was asked for.
    after, slices, count
        What is said of the adversarial series, of whose `count` slices these were attacked.
    reached
        Whether the goal was.
    mean
        Whether the mean of all slices decides.
    """
    found = []
    made_for = getattr(attack, "norms", ())
    if not reached and made_for and threat.budget.norm not in made_for:
        found.append(
            f"{type(attack).__name__} is made for a budget in {' or '.join(made_for)}, and this one is in "
            f"{threat.budget.norm}: that the goal was missed says little of the classifier"
        )
    if mean and len(slices) > 1 and getattr(attack, "aim", "") == "minimum norm":
        found.append(
            f"{type(attack).__name__} drives each slice to its own decision, and here the mean of all slices decides: PGD or APGD may "
            "reach the goal with less"
        )
    label = _hidden(threat.goal)
    if reached and label in after.present and len(slices) < count:
        found.append(
            f"the goal is reached in the {len(slices)} of {count} slices that were attacked, and for the series as a whole the "
            f"classifier still says {label}: attack every slice that shows it"
        )
    return tuple(found)


def _hidden(goal: Goal) -> str | None:
    """The finding that a goal hides slice by slice."""
    if isinstance(goal, Conceal) or (isinstance(goal, Alone) and goal.wish == "conceal"):
        return goal.label
    return goal.label if isinstance(goal, Reach) and goal.way == "at most" else None

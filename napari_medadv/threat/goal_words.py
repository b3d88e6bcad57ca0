"""Goal words: what is wished, and what it is called when it is done, in a person's words."""

from __future__ import annotations

from napari_medadv.threat.finer import Alone, Reach, Swap
from napari_medadv.threat.goal import Conceal, Confuse, Fabricate, Goal


def goal_words(goal: Goal) -> str:
    """A goal in a few words: "Conceal nodule", "Conceal nodule alone", "Swap benign for malignant"."""
    match goal:
        case Alone():
            return f"{goal.wish.capitalize()} {goal.label} alone"
        case Swap():
            return f"Swap {goal.hidden} for {goal.shown}"
        case Reach():
            return f"{goal.label} {goal.way} {100 * goal.probability:g} %"
        case _:
            return f"{type(goal).__name__} {getattr(goal, 'label', '')}".strip()


def done_words(goal: Goal) -> str:
    """What the goal is called when it is reached: "concealed"."""
    match goal:
        case Conceal():
            return "concealed"
        case Fabricate():
            return "fabricated"
        case Confuse():
            return "confused"
        case Alone():
            return ("concealed" if goal.wish == "conceal" else "fabricated") + " alone"
        case Swap():
            return "swapped"
        case Reach():
            return f"{goal.way} {100 * goal.probability:g} %"
        case _:
            return "as wished"

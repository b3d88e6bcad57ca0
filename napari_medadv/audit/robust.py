"""Robust: the robustness curve of a classifier over a cohort, in a person's measure, as words, JSON, a table and a picture."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medadv.attacks.curve import Curve, robustness
from napari_medadv.audit.record import reading
from napari_medadv.audit.threat_json import BUDGETS
from napari_medadv.audit.versions import versions
from napari_medadv.errors import ThreatError
from napari_medadv.model.classifier import Classifier
from napari_medadv.progress import Progress, part, silent
from napari_medadv.settings import plain
from napari_medadv.threat import Amount, Goal, Region
from napari_medadv.threat.amount import MEASURES, values
from napari_medadv.threat.ball import Norm
from napari_medadv.threat.goal_words import goal_words
from napari_medadv.threat.unit import stated
from napari_medadv.volume import Volume, several

_WORDS = {"percent": "% of the window", "grey": "of 255 greys", "jnd": "JND"}
_BOUND = "a size is what was found as stored: a stronger attack may need less"


@dataclass(frozen=True, slots=True)
class Size:
    """The least that was needed for one series.

    Attributes
    ----------
    uid
        Of the series.
    right
        Whether the classifier said what the table says before anything was changed; None where no table says.
    native, unit
        The smallest epsilon in the unit of the series: 0 for one that is wrong, or as wished, as it is; infinite where
        nothing reached the goal.
    amount
        The same in the measure that was asked for.
    """

    uid: str
    right: bool | None
    native: float
    unit: str
    amount: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """What was found for a cohort.

    Attributes
    ----------
    classifier, goal, norm
        Who was attacked for what, and how changes are measured.
    asked
        The budgets that were confirmed, from small to large.
    settings
        Steps, confirm and seed.
    sizes
        One a series.
    """

    classifier: Classifier
    goal: Goal
    norm: Norm
    asked: tuple[Amount, ...]
    settings: dict[str, int]
    sizes: tuple[Size, ...]

    @property
    def curve(self) -> Curve:
        """The smallest epsilons in the measure that was asked for."""
        return Curve(tuple(size.amount for size in self.sizes))

    @property
    def unit(self) -> str:
        """What the curve's epsilons count."""
        if self.norm == "L0":
            return "voxels"
        measure = self.asked[0].measure
        return self.sizes[0].unit if measure == "native" else _WORDS[measure]

    @property
    def words(self) -> str:
        """The curve as lines for a terminal."""
        count = len(self.sizes)
        head = f"{goal_words(self.goal)}, {self.norm}, {count} series of {self.classifier.name}"
        lines = [head, *(f"{name:<22}{_percent(*self.curve.robust(at))}" for name, at in self._places())]
        half = self.curve.median
        lines.append(
            f"half of them have fallen at {half:.4g} {several(self.unit)}"
            if half < math.inf
            else "fewer than half of them fell"
        )
        return "\n".join([*lines, _BOUND])

    def json(self) -> dict[str, Any]:
        """All of it, in JSON's types; None for what nothing reached."""
        robust = [(name, at, *self.curve.robust(at)) for name, at in self._places()]
        return {
            "goal": repr(self.goal),
            "norm": self.norm,
            "measure": plain(self.asked[0]) | {"number": None, "unit": self.unit},
            "classifier": reading(self.classifier),
            "settings": self.settings,
            "versions": versions(),
            "robust": [{"epsilon": at, "share": share, "low": low, "high": high} for _, at, share, low, high in robust],
            "median": _finite(self.curve.median),
            "series": [
                {
                    "series_uid": size.uid,
                    "right": size.right,
                    "epsilon": _finite(size.amount),
                    "native": _finite(size.native),
                    "unit": size.unit,
                }
                for size in self.sizes
            ],
            "facts": [_BOUND],
        }

    def write(self, folder: Path) -> None:
        """`curve.json`, `curve.csv` (a row a series) and `curve.png`."""
        (folder / "curve.json").write_text(json.dumps(self.json(), indent=1), encoding="utf-8")
        with (folder / "curve.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["series_uid", "right", f"epsilon, {self.unit}", "native", "unit"])
            for size in self.sizes:
                right = "" if size.right is None else str(size.right).lower()
                rows.writerow([size.uid, right, size.amount, size.native, size.unit])
        self._draw(folder / "curve.png")

    def _places(self) -> list[tuple[str, float]]:
        """Zero and every budget, with its name."""
        return [("as it is", 0.0), *((f"{each.number:g} {several(self.unit)}", each.number) for each in self.asked)]

    def _draw(self, path: Path) -> None:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        end = 1.05 * self.asked[-1].number
        steps = sorted({0.0, *(size.amount for size in self.sizes if size.amount < end), end})
        with rc_context({"text.parse_math": False}):  # a dollar sign in a label is one
            figure = Figure(figsize=(7, 4.5), dpi=110, layout="constrained")
            FigureCanvasAgg(figure)
            axes: Any = figure.subplots()
            axes.step(steps, [100 * self.curve.robust(at)[0] for at in steps], where="post", color="#4c78a8")
            for _, at in self._places():
                share, low, high = (100 * each for each in self.curve.robust(at))
                axes.errorbar(at, share, [[share - low], [high - share]], fmt="o", color="#4c78a8", capsize=3)
            axes.set(xlim=(-0.02 * end, end), ylim=(-2, 102))
            axes.set_xlabel(f"largest change allowed ({self.norm}), {several(self.unit)}")
            axes.set_ylabel("robust, per cent (95 %)")
            axes.set_title(f"{goal_words(self.goal)}: {len(self.sizes)} series, {self.classifier.name}", fontsize=10)
            axes.grid(alpha=0.3)
            figure.savefig(path, metadata={"Software": None})


def measured(
    classifier: Classifier,
    cohort: Iterable[tuple[Volume, Region, str | None]],
    count: int,
    goal: Goal,
    norm: Norm,
    asked: tuple[Amount, ...],
    *,
    steps: int = 15,
    confirm: int = 15,
    seed: int = 0,
    progress: Progress = silent,
) -> Robustness:
    """The robustness curve over a cohort, in the measure in which the budgets are asked for.

    Parameters
    ----------
    classifier, goal, norm
        As for `robustness`.
    cohort, count
        Volumes, made when it is their turn, each with where it may change and what it truly shows (None: nobody knows); how
        many there are. One of which the classifier does not say the truth counts as fallen at zero.
    asked
        The budgets to confirm, in one measure.
    steps, confirm, seed, progress
        As for `robustness`.

    Raises
    ------
    ThreatError
        The volumes have several units, and the budgets are in that of each.
    """
    sizes: list[Size] = []
    for place, (volume, region, truth) in enumerate(cohort):
        unit = "voxels" if norm == "L0" else volume.scale.unit
        if sizes and asked[0].measure == "native" and unit != sizes[0].unit:
            raise ThreatError(
                f"Series in {several(sizes[0].unit)} and in {several(unit)} were given, and a curve has one unit: take --measure grey or percent."
            )
        share = part(progress, place / count, (place + 1) / count)
        right = None if truth is None else truth in classifier.predict(volume, progress=part(share, 0.0, 0.1)).present
        grid = [each.budget(norm, volume, whole=classifier.reads == "volume").epsilon for each in asked]
        native = 0.0
        if right is not False:
            found = robustness(
                classifier,
                [volume],
                goal,
                norm,
                grid,
                region=region,
                steps=steps,
                confirm=confirm,
                seed=seed,
                progress=part(share, 0.1, 1.0),
            )
            (native,) = found.smallest
        sizes.append(Size(volume.series_uid, right, native, unit, _amount(native, classifier, volume, norm, asked[0])))
    settings = {"steps": steps, "confirm": confirm, "seed": seed}
    return Robustness(classifier, goal, norm, asked, settings, tuple(sizes))


def _amount(native: float, classifier: Classifier, volume: Volume, norm: Norm, asked: Amount) -> float:
    """An epsilon of this volume in the measure that was asked for."""
    if asked.measure == "native" or not 0 < native < math.inf:
        return native
    pixels = values(volume, whole=classifier.reads == "volume")
    budget = BUDGETS[norm.lower()](native)
    return stated(budget, volume.window, pixels, asked.display)[MEASURES[asked.measure]]


def _percent(share: float, low: float, high: float) -> str:
    return f"{100 * share:5.1f} % robust ({100 * low:.1f} to {100 * high:.1f})"


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None

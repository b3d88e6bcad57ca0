"""Together: one perturbation, or one patch, learned on every series in the window, put onto each and judged there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from napari_medadv.attacks import perturb
from napari_medadv.attacks.picture import keep, vacant
from napari_medadv.attacks.several import applied, kind_of, learn, learns
from napari_medadv.display import Loaded, Outcome
from napari_medadv.errors import AlreadyReached, AttackError, ThreatError
from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.model import Classifier
from napari_medadv.model.threads import fastest_threads, threads
from napari_medadv.progress import Progress, part
from napari_medadv.widgets.attack_form import Plan


@dataclass(frozen=True, slots=True)
class Shared:
    """What one perturbation for several series did.

    Attributes
    ----------
    outcomes
        One for each series that was not as wished already.
    as_wished
        How many were.
    file
        Where the perturbation is kept.
    """

    outcomes: tuple[Outcome, ...]
    as_wished: int
    file: Path

    @property
    def reached(self) -> int:
        """In how many series the goal is reached, as stored."""
        return sum(outcome.perturbation.reached for outcome in self.outcomes)

    @property
    def words(self) -> str:
        """In how many series it holds, as stored, and where it is kept."""
        beside = f"; {self.as_wished} as wished already" if self.as_wished else ""
        return (
            f"<b>Reached in {self.reached} of {len(self.outcomes)} series, judged as stored</b>{beside}"
            f"<br><small>kept in {self.file.name}</small>"
        )


def shared(members: Sequence[Loaded], classifier: Classifier, plan: Plan, progress: Progress) -> Shared:
    """Learn one perturbation on all `members`, keep it, and judge it on each; runs beside the window.

    Raises
    ------
    AttackError
        There is one series only, no file is named, or fresh acquisitions are asked for; or the series do not go together.
    OutputError
        The file holds something else, or cannot be written.
    ThreatError
        A region is marked, or the threat does not fit a series.
    """
    if plan.threat.region.mask is not None or plan.threat.region.slices is not None:
        raise ThreatError(
            "A region is marked in one series, and what is learned on several may change all of each: "
            "choose the whole image and all slices."
        )
    if len(members) < 2:
        raise AttackError("Only one series is in the window: load another one, or learn on this series alone.")
    attack = plan.attack
    if not learns(attack):
        raise AttackError(f"{type(attack).__name__} learns nothing that serves several series: choose another attack.")
    if plan.retakes:
        raise AttackError("What is learned on several series is not acquired again: set Retakes to none.")
    name = getattr(attack, "keep", "")
    if not name:
        raise AttackError(
            "What is learned on several series is kept in a file: name one under Keep, one.npz for example."
        )
    file = Path(name).expanduser()
    vacant(file, kind_of(attack))
    outcomes = []
    with threads(fastest_threads(classifier, members[0].volume)), TemporaryDirectory(prefix="medadv-") as aside:
        learned = learn(
            classifier,
            [(member.volume, plan.threat) for member in members],
            attack,
            seed=plan.seed,
            progress=part(progress, 0.0, 0.6),
        )
        unfinished = Path(aside) / "learned.npz"
        keep(unfinished, learned, kind_of(attack))
        for count, member in enumerate(members):
            share = part(progress, 0.6 + 0.38 * count / len(members), 0.6 + 0.38 * (count + 1) / len(members))
            try:
                found = perturb(
                    classifier, member.volume, plan.threat, applied(attack, unfinished), seed=plan.seed, progress=share
                )
            except AlreadyReached:
                continue
            found = replace(found, attack=applied(attack, file))
            outcomes.append(Outcome(member, classifier, found, signed_difference(found.clean, found.adversarial)))
    keep(file, learned, kind_of(attack), members[0].volume.scale.unit)
    return Shared(tuple(outcomes), len(members) - len(outcomes), file)

"""Learn one perturbation, or one patch, on several series, keep it in a file, and judge it on each of them as stored."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medadv.cli.choice import allow_argument, chosen_classifier, classifier_arguments, seed
from napari_medadv.cli.console import show, watched
from napari_medadv.cli.settings_options import add_settings, chosen_attack
from napari_medadv.cli.threat_options import chosen_budget, chosen_goal, chosen_region, threat_arguments
from napari_medadv.errors import AlreadyReached, AttackError, SeriesError, ThreatError
from napari_medadv.progress import Progress, part

if TYPE_CHECKING:
    from napari_medadv.dicom import Series
    from napari_medadv.model import Classifier
    from napari_medadv.threat import Goal, Threat
    from napari_medadv.volume import Volume


@dataclass(frozen=True, slots=True)
class _Member:
    series: Series
    source: Path
    volume: Volume
    learned: bool


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATHS, those that are only judged, the threat, the attack and --out."""
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="files or folders; every series in them")
    parser.add_argument(
        "--judge",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="series that are judged and not learned from",
    )
    allow_argument(parser)
    classifier_arguments(parser)
    threat_arguments(parser).add_argument(
        "--every-label", action="store_true", help="one for each label, which it makes appear, on the series without it"
    )
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder for all results")
    parser.add_argument("--write", action="store_true", help="write every perturbed series, too, as `attack` does")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(attack="universal")
    add_settings(
        parser, words if any(word.startswith("--attack") for word in words) else [*words, "--attack", "universal"]
    )
    parser.set_defaults(attack="universal")


def run(args: argparse.Namespace) -> int:
    """Learn, keep, judge each."""
    from napari_medadv.attacks import suits
    from napari_medadv.attacks.several import alike, learns
    from napari_medadv.audit.folder import refuse, whole
    from napari_medadv.threat import Fabricate
    from napari_medadv.threat.goal_words import goal_words

    for path in [*args.paths, *args.judge]:
        refuse(args.out, path)
    if args.every_label and (args.others_stay or args.confidence is not None):
        word = "--others-stay" if args.others_stay else "--confidence"
        raise ThreatError(
            f"{word} and --every-label were both given, and each label is only made to appear: leave one out."
        )
    attack = chosen_attack(args)
    if not learns(attack):
        raise AttackError(
            f"{type(attack).__name__} learns nothing that serves several series: take universal or patch."
        )
    if getattr(attack, "keep", ""):
        raise AttackError("What is learned is kept in the folder --out: leave --keep out.")
    chosen_budget(args)
    facts: list[dict[str, Any]] = []
    with watched() as progress:
        classifier = chosen_classifier(args)
        labels = classifier.findings.labels
        goals: list[Goal] = [Fabricate(label) for label in labels] if args.every_label else [chosen_goal(args)]
        for goal in goals:
            suits(classifier, goal, attack)
        members = _members(args, part(progress, 0.0, 0.1))
        alike([each.volume for each in members])
        with whole(args.out) as folder:
            for count, goal in enumerate(goals):
                share = part(progress, 0.1 + 0.9 * count / len(goals), 0.1 + 0.9 * (count + 1) / len(goals))
                name = _file_name(count, goal) if args.every_label else "universal.npz"
                try:
                    facts += _one(args, classifier, members, goal, attack, folder, name, share)
                except AlreadyReached:
                    if not args.every_label:
                        raise
                    words = f"{goal_words(goal)}: as wished already in every series, so nothing was learned"
                    facts.append({"goal": repr(goal), "reached": None, "words": words})
    judged = [fact for fact in facts if fact["reached"] is not None]
    reached = sum(fact["reached"] for fact in judged)
    lines = [fact["words"] for fact in facts] + [
        f"reached in {reached} of {len(judged)}, as stored",
        f"written   {args.out}",
    ]
    show(
        "\n".join(lines),
        {"out": str(args.out), "reached": reached, "of": len(judged), "series": facts},
        as_json=args.json,
    )
    return 0


def _members(args: argparse.Namespace, progress: Progress) -> list[_Member]:
    from napari_medadv.dicom import decode, scan

    found = []
    paths = [(path, True) for path in args.paths] + [(path, False) for path in args.judge]
    for count, (path, learned) in enumerate(paths):
        progress(count / len(paths), "reading")
        every = scan(path).series
        if not every:
            raise SeriesError(f"{path.name} holds no series of images: name a folder or file of DICOM.")
        found += [_Member(series, path, decode(series, allow=args.allow), learned) for series in every]
    return found


def _one(
    args: argparse.Namespace,
    classifier: Classifier,
    members: list[_Member],
    goal: Goal,
    attack: Any,
    folder: Path,
    name: str,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Learn for one goal, keep the file, judge all."""
    from napari_medadv.attacks.picture import keep
    from napari_medadv.attacks.several import kind_of, learn

    taught = [(each.volume, _threat(args, classifier, each.volume, goal)) for each in members if each.learned]
    found = learn(classifier, taught, attack, seed=args.seed, progress=part(progress, 0.0, 0.6))
    keep(folder / name, found, kind_of(attack), members[0].volume.scale.unit)
    facts = []
    for count, each in enumerate(members):
        share = part(progress, 0.6 + 0.4 * count / len(members), 0.6 + 0.4 * (count + 1) / len(members))
        facts.append(_judged(args, classifier, each, goal, attack, folder, name, share))
    return facts


def _judged(
    args: argparse.Namespace,
    classifier: Classifier,
    each: _Member,
    goal: Goal,
    attack: Any,
    folder: Path,
    name: str,
    progress: Progress,
) -> dict[str, Any]:
    """What became of one series, as stored."""
    from napari_medadv.attacks import perturb
    from napari_medadv.attacks.several import applied
    from napari_medadv.audit.delivery import Writing, deliver
    from napari_medadv.audit.record import attachment
    from napari_medadv.threat.goal_words import goal_words

    head = f"{goal_words(goal)}, {each.series.modality} {each.series.uid}" + (
        "" if each.learned else ", not learned from"
    )
    facts: dict[str, Any] = {"goal": repr(goal), "series_uid": each.series.uid, "learned": each.learned, "file": name}
    threat = _threat(args, classifier, each.volume, goal)
    try:
        found = perturb(
            classifier,
            each.volume,
            threat,
            applied(attack, folder / name),
            seed=args.seed,
            progress=part(progress, 0.0, 0.7),
        )
    except AlreadyReached:
        return {**facts, "reached": None, "words": f"{head}: as wished already"}
    if args.write:
        target = _place(folder, each, Path(name).stem)
        attached = attachment(args.model, args.card, trust_code=args.trust_code, out=target)
        writing = Writing(target, each.source, allow=tuple(args.allow), asked=chosen_budget(args)[0])
        deliver(found, classifier, attached, each.series, writing, progress=part(progress, 0.7, 1.0))
    verdict = "reached" if found.reached else "NOT reached"
    return {
        **facts,
        "reached": found.reached,
        "words": f"{head}: {verdict}; {found.before.sentence} became {found.after.sentence}",
    }


def _threat(args: argparse.Namespace, classifier: Classifier, volume: Volume, goal: Goal) -> Threat:
    from napari_medadv.threat import Threat

    asked, norm = chosen_budget(args)
    budget = asked.budget(norm, volume, whole=classifier.reads == "volume")
    return Threat(goal, budget, chosen_region(args, volume.shape))


def _place(folder: Path, each: _Member, stem: str) -> Path:
    """A new folder in `folder` for a series: a uid may hold anything, and several volumes share one."""
    plain = "".join(sign for sign in each.series.uid if sign in "0123456789.")[:64].strip(".") or "series"
    found, number = folder / f"{plain}_{stem}", 1
    while found.exists():
        number += 1
        found = folder / f"{plain}_{number}_{stem}"
    return found


def _file_name(count: int, goal: Any) -> str:
    """A file for each label, whatever signs the label is written with."""
    plain = "".join(sign if sign.isalnum() else "_" for sign in goal.label)
    return f"{count + 1}_{plain}.npz"

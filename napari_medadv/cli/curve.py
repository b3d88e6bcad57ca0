"""Measure how large a change fools a classifier on each of several series: the share that is robust at any budget."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.cli.choice import allow_argument, chosen_classifier, classifier_arguments, memory_argument, seed
from napari_medadv.cli.console import show, watched
from napari_medadv.cli.threat_options import chosen_budgets, chosen_goal, chosen_region, threat_arguments
from napari_medadv.errors import AttackError, SeriesError, ThreatError
from napari_medadv.progress import Progress, part

if TYPE_CHECKING:
    from napari_medadv.dicom import Series
    from napari_medadv.threat import Region
    from napari_medadv.volume import Volume


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATHS, the table, the threat with its budgets, steps, --out and --json."""
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="files or folders; every series in them")
    parser.add_argument(
        "--table",
        metavar="CSV",
        type=Path,
        help="which files count, and what they truly show: columns `file`, `label` and, if known, `split`; a series of which the "
        "classifier says something else counts as fallen",
    )
    parser.add_argument("--split", metavar="NAME", default="", help="only rows of the table with this word in `split`")
    parser.add_argument("--limit", metavar="N", type=int, help="only the first N series")
    memory_argument(parser)
    allow_argument(parser)
    classifier_arguments(parser)
    threat_arguments(parser, several=True)
    parser.add_argument("--steps", type=int, default=15, help="of the minimum-norm attack (default: 15)")
    parser.add_argument("--confirm", type=int, default=15, help="of the attack below each budget (default: 15)")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--out", metavar="DIR", type=Path, help="a new folder for curve.json, curve.csv and curve.png")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Measure, draw, tell."""
    from napari_medadv.attacks import suits
    from napari_medadv.attacks.fmn import FMN
    from napari_medadv.audit.folder import refuse, whole
    from napari_medadv.audit.robust import measured

    for path in args.paths if args.out is not None else ():
        refuse(args.out, path)
    if min(args.steps, args.confirm, 1 if args.limit is None else args.limit) < 1:
        raise AttackError("--steps, --confirm and --limit are at least 1: correct them.")
    goal, (asked, norm) = chosen_goal(args), chosen_budgets(args)
    with watched() as progress:
        classifier = chosen_classifier(args)
        suits(classifier, goal, FMN())
        members = _members(args, classifier.findings.labels, part(progress, 0.0, 0.05))[: args.limit]
        found = measured(
            classifier,
            _cohort(args, members),
            len(members),
            goal,
            norm,
            asked,
            steps=args.steps,
            confirm=args.confirm,
            seed=args.seed,
            progress=part(progress, 0.05, 1.0),
        )
    words = found.words
    if args.out is not None:
        with whole(args.out) as folder:
            found.write(folder)
        words += f"\nwritten   {args.out}"
    show(words, found.json(), as_json=args.json)
    return 0


def _members(args: argparse.Namespace, labels: tuple[str, ...], progress: Progress) -> list[tuple[Series, str | None]]:
    """Every series that counts, with its true label where a table says it."""
    from napari_medadv.audit.roster import none_named, read_roster
    from napari_medadv.dicom import scan

    rows = None if args.table is None else read_roster(args.table, args.split)
    if rows and "label" not in next(iter(rows.values())):
        raise SeriesError(f"The table {args.table.name} has no column `label`: say there what each file truly shows.")
    found: list[tuple[Series, str | None]] = []
    for count, path in enumerate(args.paths):
        there = scan(path, progress=part(progress, count / len(args.paths), (count + 1) / len(args.paths))).series
        if not there:
            raise SeriesError(f"{path.name} holds no series of images: name a folder or file of DICOM.")
        for series in there:
            row = (rows or {}).get(series.instances[0].path.resolve())
            if rows is None:
                found.append((series, None))
            elif row is not None:
                found.append((series, _label(row["label"], labels, args.table)))
    if not found:
        raise none_named(len(there), path, len(rows or {}), args.table, args.split)
    return found


def _label(said: str | None, labels: tuple[str, ...], table: Path) -> str:
    if said not in labels:
        raise ThreatError(
            f"The table {table.name} says {said!r}, which the classifier does not know: it tells {', '.join(labels)}."
        )
    return said


def _cohort(
    args: argparse.Namespace, members: list[tuple[Series, str | None]]
) -> Iterator[tuple[Volume, Region, str | None]]:
    """Each volume when it is its turn, and where it may change."""
    from napari_medadv.dicom import decode

    for series, truth in members:
        volume = decode(series, allow=args.allow)
        yield volume, chosen_region(args, volume.shape), truth

"""Judge detectors on clean, benign, attacked and adaptively attacked images; one page and a table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.catalogue import name_of
from napari_medadv.cli.calibrate import chosen_detectors, detector_arguments
from napari_medadv.cli.choice import chosen_classifier, classifier_arguments, seed
from napari_medadv.cli.console import show, watched
from napari_medadv.errors import DetectorError
from napari_medadv.progress import part

if TYPE_CHECKING:
    from napari_medadv.audit.detection import Case
    from napari_medadv.detect import Detector

RESUMES = True


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --table, --split, --model, --detector, sizes, cases, --out and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a folder of clean series of one kind, at any depth")
    parser.add_argument(
        "--table",
        metavar="CSV",
        type=Path,
        help="which files count: columns `file`, and `patient` and `split` if known",
    )
    parser.add_argument("--split", metavar="NAME", default="", help="only rows of the table with this word in `split`")
    classifier_arguments(parser)
    detector_arguments(parser)
    parser.add_argument("--clean", type=int, default=60, help="series for the reference (default: 60)")
    parser.add_argument("--examined", type=int, default=100, help="other series, looked at clean (default: 100)")
    parser.add_argument(
        "--attacked", type=int, default=40, help="series that undergo controls and attacks (default: 40)"
    )
    parser.add_argument(
        "--evading", type=int, default=10, help="of these, under adaptive attacks (default: 10; 0: none)"
    )
    parser.add_argument(
        "--skip",
        type=int,
        default=0,
        help="attack none of the first so many, which had a part in a choice (default: 0)",
    )
    parser.add_argument(
        "--epsilon",
        metavar="E",
        type=float,
        action="append",
        help="grey levels of 255; may be repeated (default: 1, 2, 4)",
    )
    parser.add_argument("--steps", type=int, default=20, help="of the attacks (default: 20)")
    parser.add_argument(
        "--surrogate", metavar="MODEL", type=Path, help="another classifier: attacks on it are transferred as well"
    )
    parser.add_argument(
        "--case", metavar="WORD", action="append", help="only cases whose name holds this word; may be repeated"
    )
    parser.add_argument(
        "--peers", action="store_true", help="ART's detectors and feature squeezing as well, where installed"
    )
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help="keeps every score: the same words again go on from there",
    )
    parser.add_argument("--only-report", action="store_true", help="score nothing more; report what is kept so far")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Score what is missing, then report."""
    from napari_medadv.audit.detection import cohort, evaluate, figures
    from napari_medadv.audit.detection.evaluate import read_evaluation
    from napari_medadv.audit.detection.page import write_page
    from napari_medadv.audit.detection.peers import peers
    from napari_medadv.audit.detection.table import facts, markdown, write_tables

    if min(args.examined, args.attacked, args.steps) < 1 or min(args.evading, args.skip) < 0:
        raise DetectorError(
            "--examined, --attacked and --steps are at least 1, --evading and --skip at least 0: correct them."
        )
    classifier, detectors = chosen_classifier(args), chosen_detectors(args)
    if args.only_report:
        found = read_evaluation(args.out, classifier, detectors)
    else:
        with watched() as progress:
            images = cohort(
                args.path,
                args.table,
                split=args.split,
                clean=args.clean,
                seed=args.seed,
                progress=part(progress, 0.0, 0.02),
            )
            found = evaluate(
                images,
                classifier,
                detectors,
                _cases(args, detectors),
                args.out,
                examined=args.examined,
                attacked=args.attacked,
                evading=args.evading,
                skip=args.skip,
                peers=peers() if args.peers else (),
                seed=args.seed,
                progress=part(progress, 0.02, 1.0),
            )
    made = figures(found)
    write_tables(made, args.out)
    write_page(made, args.out / "detectors.html")
    show(markdown(made), facts(made), as_json=args.json)
    return 0


def _cases(args: argparse.Namespace, detectors: Sequence[Detector]) -> tuple[Case, ...]:
    from napari_medadv.audit.detection import default_cases
    from napari_medadv.model import load_classifier

    surrogate = None if args.surrogate is None else load_classifier(args.surrogate)
    epsilons = tuple(args.epsilon or (1.0, 2.0, 4.0))
    evaded = [name_of(type(each)) for each in detectors] if args.evading else []
    cases = default_cases(epsilons, steps=args.steps, evaded=evaded, surrogate=surrogate)
    chosen = tuple(case for case in cases if not args.case or any(word in case.name for word in args.case))
    if not chosen:
        raise DetectorError(f"No case holds {' or '.join(args.case)}: choose among {', '.join(c.name for c in cases)}.")
    return chosen

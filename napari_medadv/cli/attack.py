"""Perturb a series so that a classifier errs, and write it as marked DICOM with its record and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.choice import (
    allow_argument,
    chosen_classifier,
    chosen_series,
    classifier_arguments,
    seed,
    series_arguments,
)
from napari_medadv.cli.console import show, watched
from napari_medadv.cli.settings_options import add_settings, chosen_attack
from napari_medadv.cli.threat_options import chosen_budget, chosen_goal, chosen_region, threat_arguments
from napari_medadv.progress import part


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Everything that makes a threat, an attack and an output."""
    series_arguments(parser)
    allow_argument(parser)
    classifier_arguments(parser)
    threat_arguments(parser)
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder for all results")
    parser.add_argument("--keep-study", action="store_true", help="keep the patient and study of the source")
    parser.add_argument(
        "--deidentify", action="store_true", help="remove the patient's identity from the derived series"
    )
    parser.add_argument(
        "--syntax",
        choices=("explicit", "source"),
        default="explicit",
        help="write pixels as they are, or compressed as the source where that is lossless",
    )
    parser.add_argument(
        "--objects",
        action="store_true",
        help="also write difference, region, verdicts and picture as DICOM objects for other viewers",
    )
    parser.add_argument(
        "--retakes",
        metavar="N",
        type=int,
        default=0,
        help="ask again of N fresh acquisitions, with other noise, motion, rounding and window, how many are fooled",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_settings(parser, words)


def run(args: argparse.Namespace) -> int:
    """Attack, write, read back."""
    from napari_medadv.attacks import perturb, suits
    from napari_medadv.attacks.retake import Retake
    from napari_medadv.attacks.survival import check_times, survival
    from napari_medadv.audit.delivery import Writing, deliver
    from napari_medadv.audit.folder import refuse
    from napari_medadv.audit.record import attachment
    from napari_medadv.dicom.encode import refuse_deidentified
    from napari_medadv.dicom.objects import ready
    from napari_medadv.model.threads import fastest_threads, threads
    from napari_medadv.settings import plain
    from napari_medadv.threat import Threat

    refuse(args.out, args.path)
    if args.objects:
        ready()
    check_times(args.retakes, least=0)
    attack, goal, (asked, norm) = chosen_attack(args), chosen_goal(args), chosen_budget(args)
    with watched() as progress:
        chosen = chosen_series(args.path, args.series, part(progress, 0.0, 0.05))
        if args.deidentify:
            refuse_deidentified(chosen.series)
        classifier = chosen_classifier(args)
        suits(classifier, goal, attack)
        volume = chosen.volume(part(progress, 0.05, 0.15), allow=args.allow)
        budget = asked.budget(norm, volume, whole=classifier.reads == "volume")
        threat = Threat(goal, budget, chosen_region(args, volume.shape))
        with threads(fastest_threads(classifier, volume)):
            found = perturb(classifier, volume, threat, attack, seed=args.seed, progress=part(progress, 0.15, 0.7))
        if args.retakes:  # before anything is written: a stop leaves nothing
            retake, again = Retake.as_set(attack), part(progress, 0.7, 0.8)
            lasting = survival(classifier, found, retake, times=args.retakes, seed=args.seed + 1, progress=again)
        delivery = deliver(
            found,
            classifier,
            attachment(args.model, args.card, trust_code=args.trust_code, out=args.out),
            chosen.series,
            Writing(
                args.out,
                args.path,
                args.keep_study,
                args.deidentify,
                tuple(args.allow),
                asked,
                args.objects,
                args.syntax,
            ),
            progress=part(progress, 0.8, 1.0),
        )
    words, facts = delivery.words, delivery.facts
    if args.retakes:
        words += f"\nretaken   {lasting.sentence}, each {retake}"
        facts["retakes"] = {**plain(lasting), "retake": plain(retake)}
    show(words, facts, as_json=args.json)
    return 0

"""Perturb a series so that a classifier errs, and write it as marked DICOM with its record and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.cli.choice import (
    allow_argument,
    chosen_classifier,
    chosen_series,
    classifier_arguments,
    series_arguments,
)
from napari_medadv.cli.console import show, watched
from napari_medadv.cli.settings_options import add_settings, chosen_attack
from napari_medadv.errors import RegionError
from napari_medadv.progress import part

if TYPE_CHECKING:
    from napari_medadv.threat import Threat


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Everything that makes a threat, an attack and an output."""
    series_arguments(parser)
    allow_argument(parser)
    classifier_arguments(parser)
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--conceal", metavar="LABEL", help="hide a finding on every attacked slice, or in the volume")
    goal.add_argument("--fabricate", metavar="LABEL", help="make a finding appear")
    goal.add_argument("--confuse", action="store_true", help="any other decision than the clean one")
    parser.add_argument(
        "--epsilon", type=float, required=True, help="the budget, in the unit of the series (HU for a CT)"
    )
    parser.add_argument(
        "--norm",
        choices=["linf", "l2", "l1", "l0"],
        default="linf",
        help="linf bounds each voxel; l2, l1 and l0 (a number of voxels) each slice, or the volume",
    )
    parser.add_argument("--slices", metavar="A:B", help="only slices A to B, counted from 0, B excluded")
    parser.add_argument(
        "--region", metavar="FILE", type=Path, help="a .npy or .tif mask (z, y, x): only where it is not 0"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder for all results")
    parser.add_argument("--keep-study", action="store_true", help="keep the patient and study of the source")
    parser.add_argument(
        "--deidentify", action="store_true", help="remove the patient's identity from the derived series"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_settings(parser, words)


def run(args: argparse.Namespace) -> int:
    """Attack, write, read back."""
    from napari_medadv.attacks import perturb
    from napari_medadv.audit.delivery import Writing, deliver
    from napari_medadv.audit.folder import refuse
    from napari_medadv.audit.record import attachment

    refuse(args.out, args.path)
    attack = chosen_attack(args)
    with watched() as progress:
        chosen = chosen_series(args.path, args.series, part(progress, 0.0, 0.05))
        classifier = chosen_classifier(args)
        volume = chosen.volume(part(progress, 0.05, 0.15), allow=args.allow)
        threat = _threat(args, volume.shape)
        found = perturb(classifier, volume, threat, attack, seed=args.seed, progress=part(progress, 0.15, 0.8))
        delivery = deliver(
            found,
            classifier,
            attachment(args.model, args.card, trust_code=args.trust_code, out=args.out),
            chosen.series,
            Writing(args.out, args.path, args.keep_study, args.deidentify, tuple(args.allow)),
            progress=part(progress, 0.8, 1.0),
        )
    show(delivery.words, delivery.facts, as_json=args.json)
    return 0


def _threat(args: argparse.Namespace, shape: tuple[int, int, int]) -> Threat:
    from napari_medadv.audit.threat_json import BUDGETS
    from napari_medadv.threat import Conceal, Confuse, Fabricate, Region, Threat
    from napari_medadv.threat.region import read_mask

    goal = Conceal(args.conceal) if args.conceal else Fabricate(args.fabricate) if args.fabricate else Confuse()
    mask = None if args.region is None else read_mask(args.region, shape)
    slices = None if args.slices is None else _slices(args.slices, shape[0])
    return Threat(goal, BUDGETS[args.norm](args.epsilon), Region(mask, slices))


def _slices(words: str, count: int) -> tuple[int, ...]:
    first, colon, end = words.partition(":")
    try:
        start = int(first) if first else 0
        stop = (int(end) if end else count) if colon else start + 1
    except ValueError:
        raise RegionError(f"--slices takes A:B, counted from 0, not {words!r}.") from None
    if not 0 <= start < stop <= count:
        raise RegionError(f"--slices {words} lies outside the {count} slices of this series: choose from 0:{count}.")
    return tuple(range(start, stop))

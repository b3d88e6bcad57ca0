"""Learn what clean series look like to the detectors, for one classifier."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from napari_medadv.cli.choice import allow_argument, chosen_classifier, classifier_arguments
from napari_medadv.cli.console import show, watched
from napari_medadv.errors import DetectorError
from napari_medadv.progress import part

if TYPE_CHECKING:
    from napari_medadv.detect import Detector

DEFAULT = ("mirror", "alignment", "grain")


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --allow, --model, --reference, --detector and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a folder of clean series of one kind, at any depth")
    allow_argument(parser)
    classifier_arguments(parser)
    parser.add_argument(
        "--reference", metavar="FILE", type=Path, required=True, help="is written: no pixels, no identity"
    )
    detector_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def detector_arguments(parser: argparse.ArgumentParser) -> None:
    """--detector, which may be repeated."""
    from napari_medadv.catalogue import names

    listed = ", ".join(names("napari_medadv.detect"))
    parser.add_argument(
        "--detector",
        metavar="NAME",
        action="append",
        help=f"one of {listed}, or module:Class; may be repeated (default: {', '.join(DEFAULT)})",
    )


def chosen_detectors(args: argparse.Namespace) -> list[Detector]:
    """The detectors that the arguments name.

    Raises
    ------
    DetectorError
        A class of the person's own is no detector.
    """
    return [_made(name) for name in args.detector or DEFAULT]


def _made(name: str) -> Detector:
    from napari_medadv.catalogue import entry
    from napari_medadv.detect.detector import Need

    kind = entry(name, "napari_medadv.detect")
    try:
        made: Any = kind()
    except (TypeError, ValueError) as fault:
        raise DetectorError(
            f"{name} cannot be made ({fault}): give each of its fields a default that it takes."
        ) from fault
    lacks = [part for part in ("needs", "weight", "evaded_by", "passes", "__call__") if not hasattr(made, part)]
    if lacks:
        raise DetectorError(
            f"{name} is no detector, it lacks {', '.join(lacks)}: add what napari_medadv.detect.Detector asks for."
        )
    if not dataclasses.is_dataclass(kind):
        raise DetectorError(
            f"{name} is no dataclass, and a reference knows a detector by its fields: write @dataclass(frozen=True) above it."
        )
    if not isinstance(made.weight, int | float) or not 0 <= made.weight < math.inf:
        raise DetectorError(
            f"{name} has the weight {made.weight!r}, and a number of at least 0 is expected: correct it."
        )
    known = get_args(Need)
    if not isinstance(made.needs, tuple) or not set(made.needs) <= set(known):
        raise DetectorError(
            f"{name} needs {made.needs!r}, and a tuple of some of {', '.join(map(repr, known))} is expected: correct it."
        )
    detector: Detector = made
    return detector


def run(args: argparse.Namespace) -> int:
    """Calibrate."""
    from napari_medadv.audit.detection.cohort import patients, shuffled
    from napari_medadv.detect import calibrate, write_reference
    from napari_medadv.detect.reference import check_place
    from napari_medadv.dicom import decode, scan

    check_place(args.reference)
    classifier, detectors = chosen_classifier(args), chosen_detectors(args)
    with watched() as progress:
        found = shuffled(scan(args.path, progress=part(progress, 0.0, 0.05)).series)
        clean = [decode(series, allow=args.allow) for series in found]
        reference = calibrate(detectors, classifier, clean, series=found, progress=part(progress, 0.1, 1.0))
    write_reference(reference, args.reference)
    people = patients(found)
    facts = {
        "fitted": reference.fitted,
        "calibrated": reference.count,
        "patients": people,
        "detectors": sorted(reference.learnt),
    }
    words = (
        f"{reference.count} clean series calibrate {', '.join(sorted(reference.learnt))}; {reference.fitted} others were learnt from. "
        f"The lowest false-alarm rate that they can show is {100 / (reference.count + 1):.1f} %."
    )
    if people < len(found):
        words += (
            f" The {len(found)} series are of {people} patients, and those of one patient are alike: false-alarm rates and their intervals "
            "are only right where each patient gives one series."
        )
    show(words, facts, as_json=args.json)
    return 0

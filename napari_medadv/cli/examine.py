"""Gather evidence that a series was tampered with; exit code 3 where it is suspicious."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.calibrate import chosen_detectors, detector_arguments
from napari_medadv.cli.choice import (
    allow_argument,
    chosen_classifier,
    chosen_series,
    classifier_arguments,
    series_arguments,
)
from napari_medadv.cli.console import show, watched
from napari_medadv.errors import MedAdvError, OutputError, SettingError
from napari_medadv.progress import part

SUSPICIOUS = 3


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --series, --allow, --model, --reference, --detector, --rate, --seg and --json."""
    series_arguments(parser)
    allow_argument(parser)
    classifier_arguments(parser, required=False)
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="what `medadv calibrate` wrote; without one only the headers are examined, and there is no verdict",
    )
    detector_arguments(parser)
    parser.add_argument(
        "--rate",
        type=float,
        default=0.05,
        help="false-alarm rate (default: 0.05, which needs 31 clean series; 0.01 needs 165)",
    )
    parser.add_argument(
        "--seg",
        metavar="FILE",
        type=Path,
        help="where it is suspicious: write the region as a DICOM Segmentation, a new file",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Examine."""
    from napari_medadv.audit.region import write_region
    from napari_medadv.detect import examine, read_reference
    from napari_medadv.detect.header import header_words

    if args.reference is None:
        return _headers(args)
    if args.model is None:
        raise SettingError("A reference is of one classifier, and none is named: give it by --model.")
    if args.seg is not None:
        _check_place(args.seg)
    reference, classifier = read_reference(args.reference), chosen_classifier(args)
    with watched() as progress:
        chosen = chosen_series(args.path, args.series, part(progress, 0.0, 0.1))
        volume = chosen.volume(part(progress, 0.1, 0.2), allow=args.allow)
        found = examine(
            chosen_detectors(args),
            classifier,
            volume,
            reference,
            series=chosen.series,
            level=args.rate,
            progress=part(progress, 0.2, 1.0),
        )
    evidence = [
        {
            "detector": e.detector,
            "score": e.score,
            "p": e.p,
            "clean": e.count,
            "counted": e.fused,
            "slices": list(e.slices),
        }
        for e in found.evidence
    ]
    headers = list(header_words(chosen.series))
    facts = {
        "suspicious": found.alarm,
        "p": found.p,
        "rate": found.level,
        "interval": list(found.interval),
        "evidence": evidence,
        "left_out": list(found.left_out),
        "unseen": list(found.unseen),
        "missing": list(found.missing),
        "caution": found.caution,
        "headers": headers,
    }
    words = [found.sentence, *(f"  {e.sentence}" for e in found.evidence), *found.left_out]
    words.append(f"  what the files say: {' '.join(headers)}")
    if args.seg is not None and found.alarm:
        try:
            facts["region"] = write_region(found, classifier.name, chosen.series, args.seg)
            words.append(f"{args.seg.name}: the suspicious region ({facts['region']}) as a DICOM Segmentation.")
        except MedAdvError as error:  # the verdict counts more than the file
            facts["region_refused"] = str(error)
            words.append(f"{args.seg.name} was not written: {error}")
    elif args.seg is not None:
        words.append(f"{args.seg.name} was not written: no alarm, so there is no suspicious region.")
    show("\n".join(words), facts, as_json=args.json)
    return SUSPICIOUS if found.alarm else 0


def _headers(args: argparse.Namespace) -> int:
    """What the files alone say, where there is nothing to compare the pixels with."""
    from napari_medadv.detect.header import header_words

    if args.seg is not None or args.detector:
        raise SettingError(
            "Detectors compare with clean series: give what `medadv calibrate` wrote of these by --reference."
        )
    with watched() as progress:
        said = header_words(chosen_series(args.path, args.series, progress).series)
    words = [
        "No verdict: without --reference and --model only the headers are examined.",
        f"  what the files say: {' '.join(said)}",
    ]
    show("\n".join(words), {"suspicious": None, "headers": list(said)}, as_json=args.json)
    return 0


def _check_place(path: Path) -> None:
    """Refuse, before any work, a place where the region cannot be written."""
    try:
        there = path.exists()
    except OSError as error:
        raise OutputError(f"The name of --seg cannot be used ({error.strerror}): choose a shorter one.") from error
    if there:
        raise OutputError(f"{path.name} exists already: name a new file for --seg.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent.name} is not there: make it, or choose another place for --seg.")

"""Run a record again and check that the pixel data come out the same, byte for byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.choice import allow_argument, memory_argument
from napari_medadv.cli.console import show, watched
from napari_medadv.progress import part


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """RECORD, where its source and model lie now, and --out."""
    parser.add_argument(
        "record", metavar="RECORD", type=Path, help="a record.json that `medadv attack` wrote, or its folder"
    )
    parser.add_argument("--source", metavar="PATH", type=Path, help="the source series, if it has moved")
    allow_argument(parser)
    memory_argument(parser)
    parser.add_argument("--model", metavar="FILE", help="the weights, if they have moved")
    parser.add_argument("--card", metavar="FILE", type=Path, help="the card, if it has moved")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write series, record and picture again into this new folder, de-identified where they were",
    )
    parser.add_argument("--trust-code", action="store_true", help="run the Python code that the record names")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Replay, and write again if asked."""
    from napari_medadv.audit.delivery import Writing, deliver
    from napari_medadv.audit.folder import refuse
    from napari_medadv.audit.record import attachment, read_record
    from napari_medadv.audit.replay import allowance, replay, source_of
    from napari_medadv.model import load_classifier

    if args.record.is_dir():
        args.record = args.record / "record.json"
    record = read_record(args.record, trust_code=args.trust_code)
    folder = args.record.resolve().parent
    series, source = source_of(record, folder, args.source)
    allow = allowance(record, args.allow)
    if args.out is not None:
        refuse(args.out, source)
    known = record.attachment
    weights = args.model or known.weights_from(folder)
    card = args.card or (None if args.model else known.card_from(folder))
    with watched() as progress:
        classifier = load_classifier(weights, card, device=record.classifier["device"], trust_code=args.trust_code)
        found = replay(record, series, classifier, allow=allow, progress=part(progress, 0.0, 0.8))
        if args.out is not None:
            again = attachment(weights, card, trust_code=args.trust_code, out=args.out)
            writing = Writing(args.out, source, deidentify=record.deidentified, allow=allow, asked=record.asked)
            deliver(found, classifier, again, series, writing, progress=part(progress, 0.8, 1.0))
    slices = len(found.adversarial.voxels)
    words = [f"replayed: the same bytes of pixel data in all {slices} slices; {found.after.sentence}"]
    words += found.clean.facts
    facts = {"same": True, "slices": slices, "reached": found.reached, "facts": list(found.clean.facts)}
    show("\n".join(words), facts, as_json=args.json)
    return 0
